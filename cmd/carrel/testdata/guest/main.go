// Command guest does what tests ask of it: a Go program for WASI, run by the
// scripts of carrel.
package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

var acts = map[string]func(args []string) error{
	"exit":  exit,
	"echo":  func(args []string) error { _, err := fmt.Println(strings.Join(args, " ")); return err },
	"warn":  func(args []string) error { _, err := fmt.Fprintln(os.Stderr, strings.Join(args, " ")); return err },
	"args":  func(args []string) error { _, err := fmt.Printf("%q\n", os.Args); return err },
	"env":   func(args []string) error { _, err := fmt.Printf("%q\n", os.Environ()); return err },
	"time":  now,
	"rand":  random,
	"cat":   cat,
	"write": write,
	"rm":    func(args []string) error { return os.RemoveAll(args[0]) },
	"mkdir": func(args []string) error { return os.MkdirAll(args[0], 0o755) },
	"move":  func(args []string) error { return os.Rename(args[0], args[1]) },
	"link":  func(args []string) error { return os.Symlink(args[0], args[1]) },
	"list":  list,
	"flood": flood,
	"fill":  fill,
	"files": files,
	"spin":  func([]string) error { spin(); return nil },
	"panic": func([]string) error { panic("as asked") },
	"sleep": sleep,
}

func main() {
	if len(os.Args) < 2 || acts[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "guest: do what?")
		os.Exit(64)
	}
	if err := acts[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "guest:", err)
		os.Exit(1)
	}
}

func exit(args []string) error {
	code, err := strconv.ParseInt(args[0], 0, 64)
	if err != nil {
		return err
	}
	os.Exit(int(code))
	return nil
}

func now([]string) error {
	a, b := time.Now(), time.Now()
	_, err := fmt.Println(a.UTC().Format(time.RFC3339), b.After(a))
	return err
}

func random([]string) error {
	var b [8]byte
	_, err := rand.Read(b[:])
	fmt.Printf("%x\n", b)
	return err
}

func cat(args []string) error {
	if len(args) == 0 {
		_, err := io.Copy(os.Stdout, os.Stdin)
		return err
	}
	for _, name := range args {
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		os.Stdout.Write(content)
	}
	return nil
}

// write writes words to a file, and then ends as told: write FILE CODE WORD...
func write(args []string) error {
	if err := os.WriteFile(args[0], []byte(strings.Join(args[2:], " ")+"\n"), 0o644); err != nil {
		return err
	}
	return exit(args[1:])
}

func list(args []string) error {
	return filepath.WalkDir(args[0], func(path string, d os.DirEntry, err error) error {
		if err == nil {
			fmt.Println(path, d.Type())
		}
		return err
	})
}

// flood prints so many MiB: flood N.
func flood(args []string) error {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	block := make([]byte, 1<<20)
	for i := range block {
		block[i] = "0123456789abcdef\n"[i%17]
	}
	for range n {
		if _, err := os.Stdout.Write(block); err != nil {
			return err
		}
	}
	return nil
}

// fill writes to a file until there is no more room: fill FILE.
func fill(args []string) error {
	f, err := os.Create(args[0])
	if err != nil {
		return err
	}
	block, n := make([]byte, 1<<20), 0
	for {
		if _, err := f.Write(block); err != nil {
			fmt.Println("full:", err != nil, n > 16)
			return nil
		}
		n++
	}
}

// files opens so many files and keeps them open: files DIR N.
func files(args []string) error {
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	var open []*os.File
	for i := range n {
		f, err := os.Create(filepath.Join(args[0], strconv.Itoa(i)))
		if err != nil {
			fmt.Println("open failed:", len(open) > 100, err != nil)
			return nil
		}
		open = append(open, f)
	}
	fmt.Println("opened all", len(open))
	return nil
}

var sink int

func spin() {
	for {
		sink++
	}
}

func sleep(args []string) error {
	d, err := time.ParseDuration(args[0])
	if err != nil {
		return err
	}
	start := time.Now()
	time.Sleep(d)
	_, err = fmt.Println(time.Since(start) >= d)
	return err
}
