// Command lua-exec is Zenroom's program of that name, on Zenroom's wasm: it runs
// the Lua script that comes, with its inputs, on standard input.
package main

import (
	"os"
	"time"

	"carrel/door/zenexec"
)

func main() {
	os.Exit(zenexec.Lua.Main(os.Args[1:], zenexec.Host{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Now: time.Now}))
}
