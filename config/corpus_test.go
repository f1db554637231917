package config_test

import (
	"strings"
	"testing"

	"github.com/construct-server/infra/config"
	"github.com/construct-server/infra/config/configtest"
	"github.com/google/go-cmp/cmp"
)

// minInvalid keeps the corpus from shrinking, or from being skipped, unseen.
const minInvalid = 110

func TestInvalidStackFilesAreRefusedWithTheirMessages(t *testing.T) {
	t.Parallel()
	cases, err := configtest.Invalid()
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) < minInvalid {
		t.Fatalf("%d invalid stack files, want at least %d", len(cases), minInvalid)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			src, err := c.Source(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			got, err := config.Parse(src)
			if err == nil {
				t.Fatalf("accepted: %+v", got)
			}
			if got != nil {
				t.Error("a Config beside the error")
			}
			if diff := cmp.Diff(c.Want, strings.Split(err.Error(), "\n")); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
			requireNoSecrets(t, c.Config, err.Error())
		})
	}
}

func TestValidStackFilesAreAccepted(t *testing.T) {
	t.Parallel()
	cases, err := configtest.Valid()
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) < 5 {
		t.Fatalf("%d valid stack files", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			src, err := c.Source(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := config.Parse(src); err != nil {
				t.Errorf("refused:\n%v", err)
			}
		})
	}
}

// requireNoSecrets fails if any encrypted value of the case, or a good part of
// one, is in the text.
func requireNoSecrets(t *testing.T, value any, text string) {
	t.Helper()
	switch value := value.(type) {
	case map[string]any:
		if secret, ok := value["secure"].(string); ok {
			for _, line := range strings.Split(secret, "\n") {
				if len(line) >= 8 && !strings.HasPrefix(line, "-----") && strings.Contains(text, line) {
					t.Errorf("the message holds a secret:\n%s", text)
				}
			}
			return
		}
		for _, inner := range value {
			requireNoSecrets(t, inner, text)
		}
	case []any:
		for _, inner := range value {
			requireNoSecrets(t, inner, text)
		}
	}
}
