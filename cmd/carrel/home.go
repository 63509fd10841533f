package main

import dirs "carrel/home"

// A home is where one user's things are kept: see package home.
type home struct{ keys, trust, code, blobs, images, tools string }

// findHome finds the directories. Nothing is created.
func findHome() (home, error) {
	h, err := dirs.Find()
	return home{keys: h.Keys, trust: h.Trust, code: h.Code, blobs: h.Blobs, images: h.Images, tools: h.Tools}, err
}
