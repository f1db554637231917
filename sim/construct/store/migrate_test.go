package store

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMigrationsOfReleases(t *testing.T) {
	t.Parallel()
	for release, want := range map[string]int{"0.7.0": 3, "0.7.1": 3, "0.8.0": 4} {
		got, err := Migrations(release)
		require.NoError(t, err)
		require.Len(t, got, want, release)
		for i, m := range got {
			require.EqualValues(t, i+1, m.Version)
			require.Len(t, m.Checksum(), 48)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	known, err := Migrations("0.7.0")
	require.NoError(t, err)
	good := func() map[int64]record {
		done := map[int64]record{}
		for _, m := range known {
			done[m.Version] = record{true, m.Checksum()}
		}
		return done
	}
	for _, tt := range []struct {
		name string
		edit func(map[int64]record)
		want string
	}{
		{"nothing applied", func(d map[int64]record) { clear(d) }, ""},
		{"all applied", func(map[int64]record) {}, ""},
		{"edited", func(d map[int64]record) { d[2] = record{true, []byte("other")} }, "migration 2 was previously applied but has been modified"},
		{"rolled back past one", func(d map[int64]record) { d[4] = record{true, nil} }, "migration 4 was previously applied but is missing"},
		{"half done", func(d map[int64]record) { d[3] = record{false, nil} }, "migration 3 is partially applied"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			done := good()
			tt.edit(done)
			err := check(done, known)
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
		})
	}
}
