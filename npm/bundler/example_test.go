package bundler_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"carrel/npm/bundler"
)

// Bundle a module with what it imports. What evaluates the script gets the
// exports.
func ExampleBundle() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for name, text := range map[string]string{
		"main.js":    "import { words } from './words.json';\nexport const first = words[0];\n",
		"words.json": `{ "words": ["one", "two"] }`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			log.Fatal(err)
		}
	}
	made, err := bundler.Bundle(filepath.Join(dir, "main.js"), bundler.Options{})
	if err != nil {
		log.Fatal(err)
	}
	script, err := made.Script()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(made.Format)
	fmt.Println(script[:8], "…", script[len(script)-5:])
	// Output:
	// getExport
	// (() => { … }
	// )()
}
