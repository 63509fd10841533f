// A program for tests: it uses the file system, time and chance as Go programs
// do and prints what it finds.
package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	fmt.Println("args", os.Args)
	fmt.Println("env", os.Environ())
	in, err := io.ReadAll(os.Stdin)
	fmt.Printf("stdin %q %v\n", in, err)
	start := time.Now()
	time.Sleep(time.Hour)
	fmt.Println("start", start.UTC().Truncate(time.Minute).Format(time.RFC3339), "slept", time.Since(start).Truncate(time.Second))
	var seed [8]byte
	_, err = rand.Read(seed[:])
	fmt.Printf("random %x %v\n", seed, err)
	files()
	read()
	temp()
	fmt.Fprintln(os.Stderr, "to stderr")
	os.Exit(7)
}

func check(what string, err error) {
	if err != nil {
		fmt.Println(what, "error:", strings.ReplaceAll(err.Error(), "\n", " "))
		return
	}
	fmt.Println(what, "ok")
}

func files() {
	check("mkdir", os.MkdirAll("/jobs/a/b/c", 0o755))
	check("write", os.WriteFile("/jobs/a/b/file", []byte("hello"), 0o644))
	f, err := os.OpenFile("/jobs/a/b/file", os.O_APPEND|os.O_WRONLY, 0)
	check("open append", err)
	_, err = f.WriteString(", world")
	check("append", err)
	check("close", f.Close())
	check("rename", os.Rename("/jobs/a/b/file", "/jobs/a/moved"))
	check("symlink", os.Symlink("a/moved", "/jobs/link"))
	check("link", os.Link("/jobs/a/moved", "/jobs/hard"))
	text, err := os.ReadFile("/jobs/link")
	fmt.Printf("through link %q %v\n", text, err)
	target, err := os.Readlink("/jobs/link")
	fmt.Println("target", target, err)
	check("truncate", os.Truncate("/jobs/hard", 3))
	text, err = os.ReadFile("/jobs/a/moved")
	fmt.Printf("truncated %q %v\n", text, err)
	check("escape", os.Symlink("/etc/passwd", "/jobs/out"))
	check("remove full", os.Remove("/jobs/a"))
	check("remove all", os.RemoveAll("/jobs/a/b"))
	check("chtimes", os.Chtimes("/jobs/hard", time.Unix(5, 0), time.Unix(6, 0)))
	_, err = os.Stat("/jobs/nothing")
	fmt.Println("absent", errors.Is(err, fs.ErrNotExist))
	_, err = os.ReadFile("/jobs/../outside")
	fmt.Println("outside", err != nil)
	for _, root := range []string{"/jobs", "/data"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			fmt.Println("walk", path, d.Type(), info.Size(), info.ModTime().UTC().Truncate(time.Hour).Format(time.RFC3339))
			return nil
		})
		check("walk "+root, err)
	}
}

func read() {
	text, err := os.ReadFile("/data/sub/b.txt")
	fmt.Printf("data %q %v\n", text, err)
	text, err = os.ReadFile("/data/to-b")
	fmt.Printf("data by link %q %v\n", text, err)
	check("write to read-only", os.WriteFile("/data/new", nil, 0o644))
	check("remove from read-only", os.Remove("/data/a.txt"))
	f, err := os.Open("/data/a.txt")
	check("open", err)
	b := make([]byte, 3)
	n, err := f.ReadAt(b, 2)
	fmt.Printf("read at %q %d %v\n", b[:n], n, err)
	at, err := f.Seek(-1, io.SeekEnd)
	fmt.Println("seek", at, err)
	n, err = f.Read(b)
	fmt.Printf("read %q %v\n", b[:n], err)
}

func temp() {
	f, err := os.CreateTemp("", "x")
	check("temp", err)
	if err == nil {
		check("remove temp", os.Remove(f.Name()))
		_, err = f.WriteString("unlinked")
		check("write unlinked", err)
	}
}
