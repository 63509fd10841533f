package images

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"carrel/disk"
	"carrel/machine/image"
)

var errCrash = errors.New("the process died")

// crashing gives a store that dies in its n-th operation on the directory, at a
// stage of it: before, when so many of 4 parts of the file are written and have
// not their name, or after.
func crashing(s *Store, n, stage int) *Store {
	dying := *s
	die := func() bool { n--; return n < 0 }
	dying.install = func(name string, mode fs.FileMode, fill func(*os.File) error) error {
		if !die() {
			return disk.Install(name, mode, fill)
		}
		if stage == 0 {
			return errCrash
		}
		if stage > 4 {
			return errors.Join(disk.Install(name, mode, fill), errCrash)
		}
		temp := filepath.Join(filepath.Dir(name), fmt.Sprintf(".carrel-%016x", stage))
		_ = os.Remove(temp)
		if err := disk.Install(temp, mode, fill); err != nil {
			return err
		}
		info, err := os.Stat(temp)
		if err != nil {
			return err
		}
		return errors.Join(os.Truncate(temp, info.Size()*int64(stage)/4), errCrash)
	}
	dying.remove = func(name string) error {
		if !die() {
			return os.Remove(name)
		}
		if stage > 0 {
			return errors.Join(os.Remove(name), errCrash)
		}
		return errCrash
	}
	return &dying
}

// TestCrash lets each thing that changes a store die at each of its operations:
// no image is lost that was there, none is wrong, and doing it again does it.
func TestCrash(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(s *Store, list []*image.Image) error
		lost int // how many of the list may be gone, from the end
	}{
		"put": {func(s *Store, list []*image.Image) error { _, err := s.Put(next(list[0], 50), label); return err }, 0},
		"put after": {func(s *Store, list []*image.Image) error {
			_, err := s.PutAfter(next(list[3], 50), label, list[3])
			return err
		}, 0},
		"map": {func(s *Store, list []*image.Image) error {
			img, _, err := s.Map(list[3].Root())
			if err == nil {
				err = img.Verify()
			}
			if info, _ := s.Stat(list[3].Root()); err == nil && !info.Mapped { // it was read instead
				err = errCrash
			}
			return err
		}, 0},
		"gc":     {func(s *Store, list []*image.Image) error { _, err := s.GC(month, false); return err }, 2},
		"delete": {func(s *Store, list []*image.Image) error { return s.Delete(list[3].Root()) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			for n := 0; ; n++ {
				for stage := range 6 {
					s, list := aged(t, 1, 1, 40, 50)
					_, _, err := s.Map(list[2].Root())
					must(t, err)
					age(t, 40, s.mapped(list[2].Root()), s.path(list[2].Root(), deltaSuffix))
					err = c.do(crashing(s, n, stage), list)
					if err == nil {
						return // it has no such operation
					}
					if !errors.Is(err, errCrash) {
						t.Fatal(err)
					}
					for i, img := range list {
						err := s.Verify(img.Root())
						if err != nil && (!errors.Is(err, ErrNotFound) || i < len(list)-c.lost) {
							t.Fatalf("operation %d, stage %d: image %d: %v", n, stage, i, err)
						}
					}
					if err := c.do(s, list); err != nil && !errors.Is(err, ErrNotFound) {
						t.Fatalf("operation %d, stage %d: once more: %v", n, stage, err)
					}
					infos, err := s.List()
					must(t, err)
					for _, info := range infos {
						must(t, s.Verify(info.Root))
					}
				}
			}
		})
	}
}

// TestHammerProcess is what the processes of TestProcesses do.
func TestHammerProcess(t *testing.T) {
	dir := os.Getenv("CARREL_TEST_IMAGES")
	if dir == "" {
		return // it is not one of them
	}
	s, err := Open(dir, Options{})
	must(t, err)
	must(t, hammer(s, generations(t), rand.New(rand.NewPCG(1, uint64(os.Getpid()))), func(n int) bool {
		fmt.Println("did", n)
		return true
	}))
}

// generations are images of one family, some of them alike in every process.
func generations(t testing.TB) []*image.Image {
	list := []*image.Image{first(t)}
	for n := range 7 {
		list = append(list, next(list[n], n))
	}
	return list
}

// hammer does all that can be done, in any order, until it is told to stop. The
// error says what must not happen.
func hammer(s *Store, list []*image.Image, random *rand.Rand, did func(n int) bool) error {
	for n := 0; did(n); n++ {
		i := random.IntN(len(list))
		root := list[i].Root()
		var err error
		switch random.IntN(8) {
		case 0:
			_, err = s.Put(list[i], label)
		case 1, 2:
			if i > 0 {
				_, err = s.PutAfter(list[i], label, list[i-1])
			}
		case 3:
			_, _, err = s.Get(root)
		case 4:
			var img *image.Image
			if img, _, err = s.Map(root); err == nil {
				err = img.Verify()
			}
		case 5:
			if _, err = s.List(); err == nil {
				err = s.Verify(root)
			}
		case 6:
			if err = s.Delete(root); errors.Is(err, ErrNeeded) {
				err = nil
			}
		case 7:
			_, err = s.GC(time.Duration(random.IntN(2))*time.Hour, false)
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}

func TestTogether(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "images")
	list := generations(t)
	failed := make(chan error)
	const workers = 4
	for w := range workers {
		s, err := Open(dir, Options{})
		must(t, err)
		go func() {
			failed <- hammer(s, list, rand.New(rand.NewPCG(2, uint64(w))), func(n int) bool { return n < 60 })
		}()
	}
	for range workers {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
}

// TestProcesses kills processes that use one directory: what they leave is right.
func TestProcesses(t *testing.T) {
	s := store(t)
	for round := range 6 {
		var workers []*exec.Cmd
		for w := range 2 {
			cmd := exec.Command(os.Args[0], "-test.run=^TestHammerProcess$")
			cmd.Env = append(os.Environ(), "CARREL_TEST_IMAGES="+s.Dir())
			out, err := cmd.StdoutPipe()
			must(t, err)
			must(t, cmd.Start())
			workers = append(workers, cmd)
			lines := bufio.NewScanner(out)
			for n := 0; n <= 7*round+5*w && lines.Scan(); n++ {
			}
			if lines.Text() != fmt.Sprint("did ", 7*round+5*w) {
				t.Errorf("worker says %q", lines.Text())
			}
			go func() { // it must not wait for a reader
				for lines.Scan() {
				}
			}()
		}
		for _, cmd := range workers {
			must(t, cmd.Process.Kill())
			_ = cmd.Wait()
		}
		infos, err := s.List()
		must(t, err)
		for _, info := range infos {
			must(t, s.Verify(info.Root))
		}
		for _, i := range generations(t) {
			_, err := s.Put(i, label)
			must(t, err)
			holds(t, s, i)
		}
	}
}
