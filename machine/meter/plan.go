package meter

// A plan says where in a function fuel is charged.
//
// The function's code is cut into segments: stretches with one way in and one
// way out. Where segments meet there is a node, and at a node a fixed amount is
// owed: what the path to it has cost, less what was charged on it (Knuth's
// potentials, as in Ball and Larus, "Optimally profiling and tracing programs",
// 1994). A segment from u to v that costs c charges owed(u) + c - owed(v); on a
// spanning tree of the graph the amounts owed are chosen so that this is zero,
// and the tree takes the segments that are likely to run most. Nothing is owed
// at node settled: entry, return, calls, bulk instructions. So the sum of what
// is charged between two such points is the sum of what was executed between
// them, whatever the path.
type plan struct {
	segments []segment
	starts   []int32 // by event: the segment that starts after it, or none
	exits    []int32 // by event: the segment of a br_if that leaves a loop, or none

	parent []int32 // nodes that must owe the same are one: union-find
	frames []planFrame
	now    int32 // the open segment, or none
	depth  int32

	tree   []int32 // union-find of the spanning tree, by node
	sorted []int32
	owed   []int64
	edges  []treeEdge
	first  []int32 // by node: its first tree edge
	todo   []int32
}

const (
	none    = int32(-1)
	settled = int32(0)
)

type segment struct {
	from, to int32
	depth    int32 // of loops around it
	cost     int64
	charge   int64
	owed     int64 // right after the charge, which comes first
}

type planFrame struct {
	op    byte
	label int32 // node of its branch target, none until there is a branch
	other int32 // node of the else branch; of an unrolled loop: of what follows it
	depth int32 // of loops around what follows its label
}

type treeEdge struct{ segment, next int32 }

// make plans a function. It returns to the settled node, unless an epilogue can
// charge what is owed. weight is that of its frame if it is counted, which wants
// an epilogue: it is added on entry and taken away at the end, like fuel that is
// given and taken back. All amounts are in terms of a Counter.
func (p *plan) make(events []event, wasm []byte, epilogue bool, weight uint32) {
	p.segments, p.parent, p.frames = p.segments[:0], append(p.parent[:0], settled), p.frames[:0]
	p.starts = fill(p.starts, len(events))
	p.exits = fill(p.exits, len(events))
	p.depth = 0
	exit := settled
	if epilogue {
		exit = p.node()
	}
	p.frames = append(p.frames, planFrame{op: opBlock, label: exit})
	p.begin(settled)
	p.segments[p.now].cost = -int64(weight)
	for i := range events {
		p.event(&events[i], wasm, i)
	}
	if epilogue {
		p.begin(exit)
		p.segments[p.now].cost = int64(weight)
		p.finish(settled)
	}
	p.solve()
}

func fill(s []int32, n int) []int32 {
	s = s[:0]
	for range n {
		s = append(s, none)
	}
	return s
}

func (p *plan) node() int32 {
	n := int32(len(p.parent))
	p.parent = append(p.parent, n)
	return n
}

func find(parent []int32, n int32) int32 {
	for parent[n] != n {
		parent[n] = parent[parent[n]]
		n = parent[n]
	}
	return n
}

func (p *plan) unite(a, b int32) {
	a, b = find(p.parent, a), find(p.parent, b)
	p.parent[max(a, b)] = min(a, b)
}

func (p *plan) begin(from int32) {
	p.now = int32(len(p.segments))
	p.segments = append(p.segments, segment{from: from, to: none, depth: p.depth})
}

func (p *plan) finish(to int32) {
	if p.now != none {
		p.segments[p.now].to = to
		p.now = none
	}
}

// next ends the segment at a node and starts the next one after event i.
func (p *plan) next(to int32, i int) {
	p.finish(to)
	p.start(to, i)
}

func (p *plan) start(from int32, i int) {
	p.begin(from)
	p.starts[i] = p.now
}

func (p *plan) label(depth uint32) *planFrame {
	f := &p.frames[len(p.frames)-1-int(depth)]
	if f.label == none {
		f.label = p.node()
	}
	return f
}

// leave ends the segment with a branch.
func (p *plan) leave(f *planFrame) {
	if p.now != none {
		p.segments[p.now].depth = min(p.segments[p.now].depth, f.depth)
	}
	p.finish(f.label)
}

func (p *plan) event(e *event, wasm []byte, i int) {
	if p.now != none {
		p.segments[p.now].cost += int64(e.cost) << WeightBits
	}
	switch e.kind {
	case evBlock:
		p.frames = append(p.frames, planFrame{op: opBlock, label: none, depth: p.depth})
	case evLoop:
		head := p.node()
		p.finish(head)
		p.depth++
		p.start(head, i)
		frame := planFrame{op: opLoop, label: head, other: none, depth: p.depth}
		if e.flag {
			frame.other = p.node()
		}
		p.frames = append(p.frames, frame)
	case evAgain:
		if e.flag {
			p.exit(p.frames[len(p.frames)-1].other, p.depth-1, i)
		}
	case evIf:
		fork := p.node()
		p.frames = append(p.frames, planFrame{op: opIf, label: none, other: fork, depth: p.depth})
		p.next(fork, i)
	case evElse:
		p.finish(p.label(0).label)
		frame := &p.frames[len(p.frames)-1]
		frame.op = opElse
		p.start(frame.other, i)
	case evEnd:
		p.end(i)
	case evBr:
		p.leave(p.label(e.arg))
	case evBrIf:
		p.branchIf(p.label(e.arg), e.flag, i)
	case evBrTable:
		r := &reader{b: wasm, pos: int(e.pos) + 1, end: int(e.end)}
		n := r.u32()
		to := p.label(r.u32())
		for range n {
			other := p.label(r.u32())
			p.unite(to.label, other.label)
		}
		p.finish(to.label)
	case evReturn:
		p.leave(&p.frames[0])
	case evUnreachable:
		p.finish(p.node())
	case evCall, evCallIndirect, evGrow, evBytes, evEntries:
		p.next(settled, i)
	case evMemoryInit, evTableInit:
		if e.flag {
			p.next(settled, i)
		}
	}
}

// branchIf: both ways owe the same, unless the branch leaves a loop; then it
// gets a segment of its own, to be charged there and not in the loop.
func (p *plan) branchIf(to *planFrame, bare bool, i int) {
	if !bare || to.depth >= p.depth || p.now == none {
		p.next(to.label, i)
		return
	}
	p.exit(to.label, to.depth, i)
}

// exit gives the way out of a loop at event i a segment of its own.
func (p *plan) exit(to, depth int32, i int) {
	fork := p.node()
	p.finish(fork)
	p.exits[i] = int32(len(p.segments))
	p.segments = append(p.segments, segment{from: fork, to: to, depth: depth})
	p.start(fork, i)
}

func (p *plan) end(i int) {
	frame := p.frames[len(p.frames)-1]
	p.frames = p.frames[:len(p.frames)-1]
	switch {
	case frame.op == opLoop && frame.other != none:
		p.depth--
		p.next(frame.other, i)
		return
	case frame.op == opLoop:
		p.depth--
		if p.now != none {
			p.segments[p.now].depth = min(p.segments[p.now].depth, p.depth)
		} else if len(p.frames) > 0 {
			p.start(p.node(), i) // what follows is never reached
		}
		return
	case frame.op == opIf: // without an else, the way around owes what its end owes
		if frame.label == none {
			frame.label = frame.other
		} else {
			p.unite(frame.label, frame.other)
		}
	case frame.label == none && p.now != none:
		return // no branch leads here
	case frame.label == none:
		frame.label = p.node()
	}
	p.finish(frame.label)
	if len(p.frames) > 0 {
		p.start(frame.label, i)
	}
}

// solve chooses what is owed at each node, and so what each segment charges.
func (p *plan) solve() {
	for i := range p.segments {
		s := &p.segments[i]
		if s.to == none {
			s.to = p.node()
		}
		s.from, s.to = find(p.parent, s.from), find(p.parent, s.to)
	}
	p.span()
	p.settle()
	for i := range p.segments {
		s := &p.segments[i]
		s.charge = p.owed[s.from] + s.cost - p.owed[s.to]
		s.owed = p.owed[s.from] - s.charge
	}
}

// span takes segments into the spanning tree, innermost loops first.
func (p *plan) span() {
	p.tree = append(p.tree[:0], p.parent...)
	for i := range p.tree {
		p.tree[i] = int32(i)
	}
	p.first = fill(p.first, len(p.parent))
	p.edges = p.edges[:0]
	p.sort()
	for _, i := range p.sorted {
		s := &p.segments[i]
		a, b := find(p.tree, s.from), find(p.tree, s.to)
		if a == b {
			continue
		}
		p.tree[max(a, b)] = min(a, b)
		p.edges = append(p.edges, treeEdge{i, p.first[s.from]})
		p.first[s.from] = int32(len(p.edges) - 1)
		p.edges = append(p.edges, treeEdge{i, p.first[s.to]})
		p.first[s.to] = int32(len(p.edges) - 1)
	}
}

// sort orders the segments by depth, deepest first, else as they stand.
func (p *plan) sort() {
	deepest := int32(0)
	for i := range p.segments {
		deepest = max(deepest, p.segments[i].depth)
	}
	p.sorted = p.sorted[:0]
	if deepest > 16 { // nesting beyond this says nothing about how often code runs
		deepest = 16
	}
	for depth := deepest; depth >= 0; depth-- {
		for i := range p.segments {
			if min(p.segments[i].depth, deepest) == depth {
				p.sorted = append(p.sorted, int32(i))
			}
		}
	}
}

// settle walks the tree from the settled node, and from one node of each part
// that no path from the entry reaches.
func (p *plan) settle() {
	const unknown = -1 << 63
	p.owed = p.owed[:0]
	for range p.parent {
		p.owed = append(p.owed, unknown)
	}
	for root := range int32(len(p.parent)) {
		if p.owed[root] != unknown {
			continue
		}
		p.owed[root] = 0
		p.todo = append(p.todo[:0], root)
		for len(p.todo) > 0 {
			n := p.todo[len(p.todo)-1]
			p.todo = p.todo[:len(p.todo)-1]
			for e := p.first[n]; e != none; e = p.edges[e].next {
				s := &p.segments[p.edges[e].segment]
				other, owed := s.to, p.owed[n]+s.cost
				if s.to == n {
					other, owed = s.from, p.owed[n]-s.cost
				}
				if p.owed[other] == unknown {
					p.owed[other] = owed
					p.todo = append(p.todo, other)
				}
			}
		}
	}
}
