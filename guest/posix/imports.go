package posix

import (
	"errors"

	"carrel/machine"
	"carrel/machine/meter"
)

const (
	modulePreview1 = "wasi_snapshot_preview1"
	moduleUnstable = "wasi_unstable"
)

// A call is one function of WASI. params has i for i32 and l for i64; all but
// proc_exit answer an error number.
type call struct {
	name   string
	params string
	do     func(*System, []uint64) error
}

var calls = []call{
	{"args_get", "ii", (*System).argsGet},
	{"args_sizes_get", "ii", (*System).argsSizesGet},
	{"environ_get", "ii", (*System).environGet},
	{"environ_sizes_get", "ii", (*System).environSizesGet},
	{"clock_res_get", "ii", (*System).clockResGet},
	{"clock_time_get", "ili", (*System).clockTimeGet},
	{"fd_advise", "illi", (*System).fdAdvise},
	{"fd_allocate", "ill", (*System).fdAllocate},
	{"fd_close", "i", (*System).fdClose},
	{"fd_datasync", "i", (*System).fdDatasync},
	{"fd_fdstat_get", "ii", (*System).fdFdstatGet},
	{"fd_fdstat_set_flags", "ii", (*System).fdFdstatSetFlags},
	{"fd_fdstat_set_rights", "ill", (*System).fdFdstatSetRights},
	{"fd_filestat_get", "ii", (*System).fdFilestatGet},
	{"fd_filestat_set_size", "il", (*System).fdFilestatSetSize},
	{"fd_filestat_set_times", "illi", (*System).fdFilestatSetTimes},
	{"fd_pread", "iiili", (*System).fdPread},
	{"fd_prestat_get", "ii", (*System).fdPrestatGet},
	{"fd_prestat_dir_name", "iii", (*System).fdPrestatDirName},
	{"fd_pwrite", "iiili", (*System).fdPwrite},
	{"fd_read", "iiii", (*System).fdRead},
	{"fd_readdir", "iiili", (*System).fdReaddir},
	{"fd_renumber", "ii", (*System).fdRenumber},
	{"fd_seek", "ilii", (*System).fdSeek},
	{"fd_sync", "i", (*System).fdSync},
	{"fd_tell", "ii", (*System).fdTell},
	{"fd_write", "iiii", (*System).fdWrite},
	{"path_create_directory", "iii", (*System).pathCreateDirectory},
	{"path_filestat_get", "iiiii", (*System).pathFilestatGet},
	{"path_filestat_set_times", "iiiilli", (*System).pathFilestatSetTimes},
	{"path_link", "iiiiiii", (*System).pathLink},
	{"path_open", "iiiiillii", (*System).pathOpen},
	{"path_readlink", "iiiiii", (*System).pathReadlink},
	{"path_remove_directory", "iii", (*System).pathRemoveDirectory},
	{"path_rename", "iiiiii", (*System).pathRename},
	{"path_symlink", "iiiii", (*System).pathSymlink},
	{"path_unlink_file", "iii", (*System).pathUnlinkFile},
	{"poll_oneoff", "iiii", (*System).pollOneoff},
	{"proc_exit", "i", (*System).procExit},
	{"proc_raise", "i", (*System).procRaise},
	{"sched_yield", "", (*System).schedYield},
	{"random_get", "ii", (*System).randomGet},
	{"sock_accept", "iii", (*System).socket},
	{"sock_recv", "iiiiii", (*System).socket},
	{"sock_send", "iiiii", (*System).socket},
	{"sock_shutdown", "ii", (*System).socket},
}

// unstable holds the calls that differ in wasi_unstable; nil is not there.
var unstable = map[string]func(*System, []uint64) error{
	"fd_filestat_get":   (*System).fdFilestatGetUnstable,
	"path_filestat_get": (*System).pathFilestatGetUnstable,
	"fd_seek":           (*System).fdSeekUnstable,
	"poll_oneoff":       (*System).pollOneoffUnstable,
	"sock_accept":       nil,
}

var imports = makeImports()

// Imports are the functions offered to programs: WASI preview 1, under
// wasi_snapshot_preview1, its predecessor wasi_unstable, and machine.Longjmp. Those
// of WASI find their System in Instance.Guest. The map must not be changed.
func Imports() machine.Imports { return imports }

func makeImports() machine.Imports {
	all := machine.Imports{machine.LongjmpName: machine.Longjmp}
	for _, c := range calls {
		all[[2]string{modulePreview1, c.name}] = machine.HostImport{Type: c.functype(), Call: hostFunc(c.do)}
		do := c.do
		if other, differs := unstable[c.name]; differs {
			do = other
		}
		if do != nil {
			all[[2]string{moduleUnstable, c.name}] = machine.HostImport{Type: c.functype(), Call: hostFunc(do)}
		}
	}
	return all
}

func (c call) functype() meter.FuncType {
	t := meter.FuncType{Params: make([]meter.ValType, len(c.params))}
	for i, p := range c.params {
		t.Params[i] = meter.I32
		if p == 'l' {
			t.Params[i] = meter.I64
		}
	}
	if c.name != "proc_exit" {
		t.Results = []meter.ValType{meter.I32}
	}
	return t
}

var errNoSystem = errors.New("the instance has no posix system")

func hostFunc(do func(*System, []uint64) error) machine.HostFunc {
	return func(i *machine.Instance, stack []uint64) error {
		s, ok := i.Guest.(*System)
		if !ok {
			return errNoSystem
		}
		return s.answer(i, do, stack)
	}
}

// answer makes one call for a caller. What is not an error number ends it.
func (s *System) answer(caller Caller, do func(*System, []uint64) error, stack []uint64) error {
	s.caller = caller
	switch err := do(s, stack).(type) {
	case nil:
		stack[0] = 0
	case Errno:
		stack[0] = uint64(err)
	default:
		return err
	}
	return nil
}
