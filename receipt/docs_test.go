package receipt

import (
	"os"
	"strings"
	"testing"
)

// TestDocs holds the page of the format against the golden files.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../docs/formats/receipt.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"small.payload", "small.receipt"} {
		want, err := os.ReadFile("testdata/compat/v1/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(page), "    "+strings.TrimSuffix(string(want), "\n")+"\n") {
			t.Errorf("docs/formats/receipt.md does not have %s", name)
		}
	}
	if id := testKey(1).ID().String(); !strings.Contains(string(page), id) || !strings.Contains(string(page), testKey(1).Public().String()) {
		t.Errorf("docs/formats/receipt.md does not have key %s", id)
	}
}
