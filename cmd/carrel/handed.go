package main

import (
	"carrel/runner"
)

// handed are the directories and tars that a program was handed, open.
type handed struct {
	mounts []runner.Mount
}

func openMounts(dirs, tars []mount) (*handed, error) { return &handed{}, nil }

func (h *handed) Close() error { return nil }

func (h *handed) keep(k *keepsake) error { return nil }

func (h *handed) writeBack(writes []runner.Write) error { return nil }
