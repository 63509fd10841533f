package lockdown_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"carrel/npm"
	"carrel/npm/lockdown"
)

// Get the bundle, through npm if this is the first time, and the script to
// evaluate in a worker's start compartment.
func Example() {
	data, err := os.UserCacheDir()
	if err != nil {
		log.Fatal(err)
	}
	dir := lockdown.Dir(filepath.Join(data, "example"))
	bundle, err := lockdown.Bundle(dir, lockdown.Secure)
	if errors.Is(err, npm.ErrAbsent) {
		if err := lockdown.Fetch(context.Background(), dir, ""); err != nil {
			log.Fatal(err)
		}
		bundle, err = lockdown.Bundle(dir, lockdown.Secure)
	}
	if err != nil {
		log.Fatal(err)
	}
	script, err := bundle.Script()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(script), lockdown.Secure.SHA256())
}
