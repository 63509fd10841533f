// Command words prints the most frequent words of a text: a program in Go for
// carrel to run. Build it with GOOS=wasip1 GOARCH=wasm.
//
//	words [-n 10] [FILE]
package main

import (
	"bufio"
	"cmp"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"
)

func main() {
	n := flag.Int("n", 10, "how many words to print")
	flag.Parse()
	if err := print(os.Stdout, flag.Arg(0), *n); err != nil {
		fmt.Fprintln(os.Stderr, "words:", err)
		os.Exit(1)
	}
}

func print(w io.Writer, name string, n int) error {
	text := io.Reader(os.Stdin)
	if name != "" {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		text = file
	}
	counts, err := count(text)
	if err != nil {
		return err
	}
	for _, c := range counts[:min(n, len(counts))] {
		fmt.Fprintf(w, "%7d %s\n", c.times, c.word)
	}
	return nil
}

// A counted word is how often it occurs.
type counted struct {
	word  string
	times int
}

// count counts the words of a text, the most frequent first, words that occur
// equally often in the order of the alphabet.
func count(text io.Reader) ([]counted, error) {
	times := map[string]int{}
	lines := bufio.NewScanner(text)
	for lines.Scan() {
		for _, word := range strings.FieldsFunc(lines.Text(), func(r rune) bool { return !unicode.IsLetter(r) }) {
			times[strings.ToLower(word)]++
		}
	}
	counts := make([]counted, 0, len(times))
	for word, n := range times {
		counts = append(counts, counted{word, n})
	}
	slices.SortFunc(counts, func(a, b counted) int {
		return cmp.Or(b.times-a.times, strings.Compare(a.word, b.word))
	})
	return counts, lines.Err()
}
