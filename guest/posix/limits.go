package posix

// Limits of host layer version 1. A program that reaches one gets the error
// number named here; none of them depends on the host.
const (
	SeedBytesMax  = 64      // of Config.Seed
	ArgBytesMax   = 1 << 20 // of Args and of Env, with a zero byte after each string
	MountsMax     = 256     // of Config.Mounts
	PathBytesMax  = 4096    // of a path or a link's target: ENAMETOOLONG
	NameBytesMax  = 255     // of one name in a path: ENAMETOOLONG
	LinksMax      = 40      // symbolic links followed for one path: ELOOP
	IovecsMax     = 1024    // buffers of one read or write: EINVAL
	PollMax       = 4096    // subscriptions of one poll_oneoff: EINVAL
	DescriptorMax = 4096    // open descriptors: EMFILE
	InodesMax     = 1 << 20 // files, directories, links and looked-up absent names: ENOSPC
	EntriesMax    = 1 << 17 // names in one directory: ENOSPC
	FileBytesMax  = 1 << 30 // size of one file: EFBIG
	TotalBytesMax = 2 << 30 // content and targets held in memory: ENOSPC, ENOMEM where one is to be read
	SeenBytesMax  = 1 << 28 // paths of all that was met or missed in mounted trees: ENOSPC
	ListedMax     = 1 << 22 // entries held by descriptors that read directories: ENOMEM
	HardLinksMax  = 1 << 16 // names of one file: EMLINK
)

// Costs of host layer version 1, in units of fuel, beside what meter charges
// for every host call and for bytes moved.
const (
	nameCost  = 50   // each name of a path, also of those in links
	inodeCost = 200  // each file, directory or link made
	entryCost = 100  // each entry of a directory put in order
	stepCost  = 5    // each directory passed upwards, each entry passed while reading a directory
	lookCost  = 1000 // each thing first looked at in a mounted tree
	eventCost = 20   // each subscription of poll_oneoff
)
