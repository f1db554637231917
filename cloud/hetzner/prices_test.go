package hetzner

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pricing is a part of what GET /v1/pricing answers.
const pricing = `{"pricing": {"currency": "EUR", "vat_rate": "19.00", "server_types": [
	{"id": 1, "name": "cx23", "prices": [
		{"location": "fsn1", "price_monthly": {"net": "3.4900000000", "gross": "4.1531000000000000"}},
		{"location": "hel1", "price_monthly": {"net": "3.9900000000", "gross": "4.7481000000000000"}}]},
	{"id": 2, "name": "cpx11", "prices": [
		{"location": "ash", "price_monthly": {"net": "4.9900000000", "gross": "5.9381000000000000"}}]}]}}`

func TestPrices(t *testing.T) {
	t.Parallel()
	status := http.StatusOK
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/pricing" || r.Header.Get("Authorization") != "Bearer token" {
			status = http.StatusUnauthorized
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(pricing))
	}))
	t.Cleanup(api.Close)
	got, err := Account{Token: "token", Endpoint: api.URL + "/v1"}.prices(t.Context(), "fsn1")
	require.NoError(t, err)
	assert.Equal(t, map[string]price{"cx23": {3.49, "EUR"}}, got, "of this location, without taxes")
	_, err = Account{Token: "other", Endpoint: api.URL + "/v1"}.prices(t.Context(), "fsn1")
	require.ErrorContains(t, err, "prices")
}
