// Command carrel runs programs sealed in, deterministic and metered, and gives
// receipts that anyone can verify.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
