package main

import (
	"io"
	"log/slog"
	"runtime/debug"
	"strings"
)

// levels are those of RUST_LOG, as far as there are as many here.
var levels = map[string]slog.Level{
	"off": slog.LevelError + 1, "error": slog.LevelError, "warn": slog.LevelWarn, "info": slog.LevelInfo, "debug": slog.LevelDebug, "trace": slog.LevelDebug,
}

// newLogger logs as text. RUST_LOG decides how much, if it says a level, alone or of
// parts: then the most of them.
func newLogger(w io.Writer, verbose bool, lookup func(string) (string, bool)) *slog.Logger {
	level := slog.LevelInfo
	if verbose {
		level = slog.LevelDebug
	}
	if text, ok := lookup("RUST_LOG"); ok {
		if asked, ok := rustLevel(text); ok {
			level = asked
		}
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}

func rustLevel(text string) (level slog.Level, ok bool) {
	for _, directive := range strings.Split(text, ",") {
		if _, after, is := strings.Cut(directive, "="); is {
			directive = after
		}
		if l, known := levels[strings.ToLower(strings.TrimSpace(directive))]; known && (!ok || l < level) {
			level, ok = l, true
		}
	}
	return level, ok
}

// version is that of the build.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}
