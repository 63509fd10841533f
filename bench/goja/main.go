// Command goja runs a script on goja, for bench: a JavaScript that is written in Go.
package main

import (
	"fmt"
	"os"

	"github.com/dop251/goja"
)

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(file string) error {
	source, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	vm := goja.New()
	if err := vm.Set("print", func(line string) { fmt.Println(line) }); err != nil {
		return err
	}
	_, err = vm.RunScript(file, string(source))
	return err
}
