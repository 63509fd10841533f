// Package release fetches the programs of a release of Zenroom: zencode-exec, lua-exec
// and zenroom for Linux, in a zip that is known by its hash. They are under the AGPL:
// nothing of them is part of Carrel. The settings, and where the programs are kept, are
// those of nXCC's zenroom-downloader.sh.
package release

import (
	"archive/zip"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"carrel/npm"
)

// Programs are what is kept of a release. The first is in all.
var Programs = []string{"zencode-exec", "lua-exec", "zenroom"}

// Limits of a release, in bytes.
const (
	zipBytesMax     = 256 << 20
	programBytesMax = 128 << 20
)

// A Release is one version for one architecture.
type Release struct {
	Version string // as it is tagged
	Arch    string // x86_64 or arm_64
	URL     string // of the zip
	SHA256  string // of the zip, in hexadecimal; "" if nobody has said it
	Cache   string // the directory that it is kept below
}

const (
	defaultVersion = "v5.29.0"
	defaultBase    = "https://github.com/dyne/Zenroom/releases/download"
)

// known are hashes of zips, by version and architecture: those that nXCC has.
var known = map[string]map[string]string{
	defaultVersion: {
		"arm_64": "84722e4284e17cbe861cd09cdd39c8e93e4ca84a983c30326393d13fe41b4938",
		"x86_64": "8d7a60ec8d381a1945f33188c077270d92ef4c02acfed8fe223cc50322918652",
	},
}

// architectures are by the names that people and programs have for them.
var architectures = map[string]string{
	"arm_64": "arm_64", "arm64": "arm_64", "aarch64": "arm_64",
	"x86_64": "x86_64", "amd64": "x86_64",
}

// Find is the release that settings name: ZENROOM_VERSION, ZENROOM_BASE_URL,
// ZENROOM_URL, ZENROOM_CACHE_DIR (or the cache), ZENROOM_ARCH, ZENROOM_TARGETARCH or
// TARGETARCH (or this host's), and ZENROOM_SHA256 or that of the architecture.
func Find(setting func(name string) string, cache string) (Release, error) {
	r := Release{Version: cmp.Or(setting("ZENROOM_VERSION"), defaultVersion), Cache: cmp.Or(setting("ZENROOM_CACHE_DIR"), cache)}
	if !filepath.IsLocal(r.Version) || r.Version == "." || strings.ContainsAny(r.Version, `/\`) {
		return Release{}, fmt.Errorf("ZENROOM_VERSION: %q is no version, as in %s", r.Version, defaultVersion)
	}
	asked := cmp.Or(setting("ZENROOM_ARCH"), setting("ZENROOM_TARGETARCH"), setting("TARGETARCH"))
	if asked == "" && runtime.GOOS != "linux" {
		return Release{}, fmt.Errorf("the programs of Zenroom's releases are for Linux, not %s; to fetch them for another host set ZENROOM_ARCH", runtime.GOOS)
	}
	var ok bool
	if r.Arch, ok = architectures[cmp.Or(asked, runtime.GOARCH)]; !ok {
		return Release{}, fmt.Errorf("there is no release of Zenroom for the architecture %q; set ZENROOM_ARCH to arm_64 or x86_64", cmp.Or(asked, runtime.GOARCH))
	}
	r.URL = cmp.Or(setting("ZENROOM_URL"), fmt.Sprintf("%s/%s/%s", strings.TrimSuffix(cmp.Or(setting("ZENROOM_BASE_URL"), defaultBase), "/"), r.Version, r.zip()))
	for _, name := range []string{"ZENROOM_SHA256", r.hashSetting()} {
		sum := strings.ToLower(setting(name))
		if b, err := hex.DecodeString(sum); sum != "" && (err != nil || len(b) != sha256.Size) {
			return Release{}, fmt.Errorf("%s: %q is no SHA-256 in hexadecimal", name, sum)
		}
		r.SHA256 = cmp.Or(r.SHA256, sum)
	}
	r.SHA256 = cmp.Or(r.SHA256, known[r.Version][r.Arch])
	return r, nil
}

func (r Release) zip() string         { return "zenroom-" + r.Arch + "-linux.zip" }
func (r Release) hashSetting() string { return "ZENROOM_SHA256_" + strings.ToUpper(r.Arch) }
func (r Release) String() string      { return fmt.Sprintf("Zenroom %s for %s", r.Version, r.Arch) }

// Dir is where the programs of the release are kept.
func (r Release) Dir() string { return filepath.Join(r.Cache, r.Version, r.Arch) }

// Check reports what lacks in the directory of a release.
func Check(dir string) error {
	name := filepath.Join(dir, Programs[0])
	info, err := os.Stat(name)
	if err == nil && (!info.Mode().IsRegular() || info.Mode()&0o111 == 0) {
		err = fmt.Errorf("%s is no program", name)
	}
	return err
}

// Fetch puts the programs into a directory, which must not be there: of the zip at the
// URL of the release, or at another, or in a file.
func (r Release) Fetch(ctx context.Context, dir, from string) error {
	if r.SHA256 == "" {
		return fmt.Errorf("fetch %s: its hash is not known here; set %s to what sha256sum prints of a %s that you trust", r, r.hashSetting(), r.zip())
	}
	where := cmp.Or(from, r.URL)
	err := npm.Install(dir, func(temp, ready string) error {
		archive := where
		if u, err := url.Parse(where); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
			archive = filepath.Join(temp, r.zip())
			if err := npm.Download(ctx, where, archive); err != nil {
				return err
			}
		} else if from == "" {
			return fmt.Errorf("%q is no URL of http or https: see ZENROOM_URL and ZENROOM_BASE_URL", where)
		}
		if err := r.unpack(archive, ready); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
		return nil
	}, Check)
	if err != nil {
		return fmt.Errorf("fetch %s: %w", r, err)
	}
	return nil
}

// unpack checks that an archive is that of the release, and writes its programs.
func (r Release) unpack(archive, dir string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	hash := sha256.New()
	size, err := io.Copy(hash, io.LimitReader(file, zipBytesMax+1))
	if err != nil {
		return err
	}
	if size > zipBytesMax {
		return fmt.Errorf("it has more than %d bytes", zipBytesMax)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != r.SHA256 {
		return fmt.Errorf("it is not %s: its SHA-256 is %s, not %s", r, got, r.SHA256)
	}
	return unzip(file, size, dir)
}

// unzip writes the first of every program, wherever it is in a zip.
func unzip(archive io.ReaderAt, size int64, dir string) error {
	members, err := zip.NewReader(archive, size)
	if err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	written := map[string]bool{}
	for _, member := range members.File {
		if !filepath.IsLocal(member.Name) {
			return fmt.Errorf("%q in it is no place below a directory", member.Name)
		}
		name := path.Base(member.Name)
		if !slices.Contains(Programs, name) || written[name] || !member.Mode().IsRegular() {
			continue
		}
		if err := extract(member, filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("%s: %w", member.Name, err)
		}
		written[name] = true
	}
	if !written[Programs[0]] {
		return fmt.Errorf("there is no %s in it", Programs[0])
	}
	return nil
}

// extract writes a member as a program. What it says of its size is not believed.
func extract(member *zip.File, to string) error {
	content, err := member.Open()
	if err != nil {
		return err
	}
	defer content.Close()
	file, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	n, err := io.Copy(file, io.LimitReader(content, programBytesMax+1))
	if err == nil && n > programBytesMax {
		err = fmt.Errorf("it has more than %d bytes", programBytesMax)
	}
	if err == nil {
		err = file.Chmod(0o755) // whatever the umask
	}
	return errors.Join(err, file.Close())
}
