package bundle

import (
	"archive/zip"
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"unicode/utf8"
)

// mapName is the file of an archive that says what is in it.
const mapName = "compartment-map.json"

// Limits of an archive.
const (
	filesMax     = 20_000
	unpackedMax  = 256 << 20
	mapBytesMax  = 64 << 20
	specifierMax = 4096
)

// An Archive is the modules of an EndoZip, each checked against its hash.
type Archive struct {
	Entry        Reference
	Compartments map[string]Compartment
}

// A Reference names a module of a compartment.
type Reference struct{ Compartment, Module string }

// A Compartment is one package of an archive.
type Compartment struct {
	// Label is for people: the package's name and version.
	Label   string
	Modules map[string]Module
}

// A Module is one of three: text in a language (Parser and Text), the module of
// a compartment (To), or one that the host gives (Exit).
type Module struct {
	Location string
	// Parser is the language: pre-mjs-json and pre-cjs-json are what Endo makes of
	// ES modules and CommonJS; mjs, cjs, json and text are as they were.
	Parser string
	Text   string
	To     Reference
	Exit   string
}

// archiveMap is the compartment map as it is written.
type archiveMap struct {
	Entry        Reference
	Compartments map[string]struct {
		Name, Label string
		Modules     map[string]struct {
			Location, Parser, SHA512 string
			Compartment, Module      *string
			Exit                     string
		}
	}
}

// Open reads the modules of an EndoZip. It checks that the compartment map has
// the hash that the bundle says, that each module has the hash that the map says,
// and that there is nothing else.
func (b *Bundle) Open() (*Archive, error) {
	if b.Format != EndoZip {
		return nil, fmt.Errorf("bundle: a %s is no archive", b.Format)
	}
	archive, err := b.open()
	if err != nil {
		return nil, fmt.Errorf("bundle: archive: %w", err)
	}
	return archive, nil
}

func (b *Bundle) open() (*Archive, error) {
	files, err := unzip(b.Zip)
	if err != nil {
		return nil, err
	}
	text, ok := files[mapName]
	if !ok {
		return nil, fmt.Errorf("it has no %s", mapName)
	}
	delete(files, mapName)
	if got := hash512(text); got != b.ZipHash {
		return nil, fmt.Errorf("the SHA-512 of %s is %s, and the bundle says %.200s", mapName, got, b.ZipHash)
	}
	if len(text) > mapBytesMax {
		return nil, fmt.Errorf("%s has %d bytes: %d is the most", mapName, len(text), mapBytesMax)
	}
	var m archiveMap
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("%s: %w", mapName, err)
	}
	archive := &Archive{Entry: m.Entry, Compartments: map[string]Compartment{}}
	for name, c := range m.Compartments {
		made := Compartment{Label: c.Label, Modules: map[string]Module{}}
		if made.Label == "" {
			made.Label = c.Name
		}
		for specifier, module := range c.Modules {
			if len(specifier) > specifierMax {
				return nil, fmt.Errorf("compartment %.80q: a name of %d bytes: %d is the most", name, len(specifier), specifierMax)
			}
			file := name + "/" + module.Location
			switch {
			case module.Parser != "":
				text, ok := files[file]
				if !ok {
					return nil, fmt.Errorf("%.200q is not there", file)
				}
				if got := hash512(text); got != module.SHA512 {
					return nil, fmt.Errorf("the SHA-512 of %.200q is %s, and %s says %.200s", file, got, mapName, module.SHA512)
				}
				if !utf8.Valid(text) {
					return nil, fmt.Errorf("%.200q is no UTF-8", file)
				}
				made.Modules[specifier] = Module{Location: module.Location, Parser: module.Parser, Text: string(text)}
			case module.Exit != "":
				made.Modules[specifier] = Module{Exit: module.Exit}
			case module.Module != nil:
				to := Reference{name, *module.Module}
				if module.Compartment != nil {
					to.Compartment = *module.Compartment
				}
				made.Modules[specifier] = Module{To: to}
			default:
				return nil, fmt.Errorf("%.200q is neither a module, nor another's, nor the host's", file)
			}
		}
		archive.Compartments[name] = made
	}
	for name, c := range m.Compartments {
		for _, module := range c.Modules {
			delete(files, name+"/"+module.Location)
		}
	}
	if len(files) > 0 {
		return nil, fmt.Errorf("%.200q is in no compartment", slices.Min(slices.Collect(maps.Keys(files))))
	}
	return archive, nil
}

func hash512(b []byte) string {
	sum := sha512.Sum512(b)
	return hex.EncodeToString(sum[:])
}

// unzip reads all files of an archive.
func unzip(archive []byte) (map[string][]byte, error) {
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, err
	}
	if len(r.File) > filesMax {
		return nil, fmt.Errorf("%d files: %d is the most", len(r.File), filesMax)
	}
	files := map[string][]byte{}
	left := int64(unpackedMax)
	for _, f := range r.File {
		if _, twice := files[f.Name]; twice {
			return nil, fmt.Errorf("%.200q is there twice", f.Name)
		}
		content, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("%.200q: %w", f.Name, err)
		}
		text, err := io.ReadAll(io.LimitReader(content, left+1))
		if err != nil {
			return nil, fmt.Errorf("%.200q: %w", f.Name, err)
		}
		if left -= int64(len(text)); left < 0 {
			return nil, fmt.Errorf("more than %d bytes unpacked", unpackedMax)
		}
		files[f.Name] = text
	}
	return files, nil
}
