package main

import (
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"

	"carrel/npm/bundler"
)

// status asks what a descriptor is open to.
func status(descriptor int) (syscall.Stat_t, error) {
	var s syscall.Stat_t
	err := syscall.Fstat(descriptor, &s)
	return s, err
}

// descriptor is the number that a name says: @7, or @8:a label for people.
func descriptor(name string) (number int, ok bool) {
	text, ok := strings.CutPrefix(name, "@")
	if !ok {
		return 0, false
	}
	text, _, _ = strings.Cut(text, ":")
	number, err := strconv.Atoi(text)
	if err != nil {
		number = 0 // as atoi of C has it
	}
	return number, true
}

// duplicate opens a descriptor once more, so that it stays open when this is
// closed.
func duplicate(number int, name string) (*os.File, error) {
	again, err := syscall.Dup(number)
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(again)
	return os.NewFile(uintptr(again), name), nil
}

// open opens a file to read, or a descriptor.
func open(name string) (io.ReadCloser, error) {
	if number, ok := descriptor(name); ok {
		return duplicate(number, name)
	}
	return os.Open(name)
}

// create opens a file to write, or a descriptor.
func create(name string) (io.WriteCloser, error) {
	if number, ok := descriptor(name); ok {
		widen(number)
		return duplicate(number, name)
	}
	return os.Create(name)
}

// module bundles a module to a script.
func module(path string) (string, error) {
	bundled, err := bundler.Bundle(path, bundler.Options{})
	if err != nil {
		return "", err
	}
	return bundled.Script()
}
