package lockdown

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"carrel/guest/js/bundle"
	"carrel/npm"
	"carrel/npm/bundler"
)

// Fetch makes the bundles in a directory, which must not be there. Endo's
// packages come through the npm client, or from a directory with their archives.
// The directory appears when it is complete. What is made is what this build
// knows by its hash, or nothing.
func Fetch(ctx context.Context, dir, from string) error {
	err := npm.Install(dir, func(temp, ready string) error {
		made, err := Make(ctx, temp, from)
		if err != nil {
			return err
		}
		if err := os.Mkdir(ready, 0o755); err != nil {
			return err
		}
		for _, v := range variants {
			if got := bundle.Hash(made[v]); got != v.SHA256() {
				return fmt.Errorf("%s came out with the SHA-256 %s, not %s: this build of carrel is broken", v, got, v.SHA256())
			}
			if err := os.WriteFile(filepath.Join(ready, string(v)), made[v], 0o644); err != nil {
				return err
			}
		}
		return nil
	}, complete)
	if err != nil {
		return fmt.Errorf("make the lockdown bundles: %w", err)
	}
	return nil
}

// Make makes all variants of packages from npm, or from a directory with their
// archives, whatever their hashes are. It needs an empty directory to work in.
func Make(ctx context.Context, temp, from string) (map[Variant][]byte, error) {
	work := filepath.Join(temp, "lockdown")
	if err := layOut(ctx, temp, work, from); err != nil {
		return nil, err
	}
	made := map[Variant][]byte{}
	make := func(v Variant, entry string, format bundle.Format) error {
		b, err := bundler.Bundle(filepath.Join(work, entry), bundler.Options{Format: format})
		if err != nil {
			return err
		}
		made[v], err = b.Encode()
		return err
	}
	if err := make(Inspector, "lib/object-inspect.js", bundle.GetExport); err != nil {
		return nil, err
	}
	made[Inspector] = fmt.Appendf(nil, "export default %s;\n", made[Inspector])
	if err := write(filepath.Join(work, "dist", string(Inspector)), made[Inspector]); err != nil {
		return nil, err
	}
	if err := make(Secure, "lib/ses-boot.js", bundle.NestedEvaluate); err != nil {
		return nil, err
	}
	return made, make(Debug, "lib/ses-boot-debug.js", bundle.NestedEvaluate)
}

// around keeps what is above the working directory from being taken for a part
// of the project. Our own package.json is not used: a version of ours is to be in
// no bundle.
var around = map[string]string{
	"package.json":  `{"name": "xsnap-lockdown", "type": "module"}`,
	"tsconfig.json": `{}`,
}

// layOut writes our modules and the packages of the lock file as npm would.
func layOut(ctx context.Context, temp, work, from string) error {
	lock, err := sources.ReadFile("package-lock.json")
	if err != nil {
		return err
	}
	places, err := npm.Places(lock)
	if err != nil {
		return err
	}
	packages := make([]npm.Package, len(places))
	for n, p := range places {
		packages[n] = p.Package
	}
	archives, err := npm.Archives(ctx, temp, from, packages...)
	if err != nil {
		return err
	}
	for n, p := range places {
		to := filepath.Join(work, filepath.FromSlash(p.Dir))
		if err := p.Unpack(archives[n], func(name string) string { return filepath.Join(to, filepath.FromSlash(name)) }); err != nil {
			return err
		}
	}
	for name, text := range around {
		if err := write(filepath.Join(work, name), []byte(text)); err != nil {
			return err
		}
	}
	return fs.WalkDir(sources, "lib", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := sources.ReadFile(name)
		if err != nil {
			return err
		}
		return write(filepath.Join(work, filepath.FromSlash(name)), text)
	})
}

func write(name string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, text, 0o644)
}
