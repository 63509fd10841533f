// Command zencode-exec is Zenroom's program of that name, on Zenroom's wasm: it runs
// the Zencode script that comes, with its inputs, on standard input.
package main

import (
	"os"
	"time"

	"carrel/door/zenexec"
)

func main() {
	os.Exit(zenexec.Zencode.Main(os.Args[1:], zenexec.Host{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Now: time.Now}))
}
