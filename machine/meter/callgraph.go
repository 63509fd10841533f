package meter

import (
	"container/heap"
	"slices"
)

// A callGraph says which functions can call themselves again, through whatever
// others. Its nodes are the defined functions, and after them one for each
// distinct function type: an indirect call leads to its type, and from there to
// every function of that type that a table or reference may hold.
type callGraph struct {
	functions int
	edges     [][]int32

	recursive   []bool // by function: lies on a cycle, so its frames are counted
	checked     []bool // by function: its entry is checked; these cut every cycle, and more: see bound
	checkedLast []bool // by function: its end is checked
	headroom    uint32 // weight of the heaviest chain of frames that are not counted
}

// newCallGraph builds and analyses the graph.
func newCallGraph(p *program, functions []function) *callGraph {
	g := &callGraph{functions: len(functions)}
	types, nTypes := p.distinctTypes()
	for i := range types {
		types[i] += len(functions)
	}
	g.edges = make([][]int32, len(functions)+nTypes)
	var out []int32
	for i := range functions {
		out = out[:0]
		for _, e := range functions[i].events {
			switch {
			case e.kind == evCall && int(e.arg) >= len(p.imports):
				out = append(out, int32(int(e.arg)-len(p.imports)))
			case e.kind == evCallIndirect:
				out = append(out, int32(types[e.arg]))
			}
		}
		slices.Sort(out)
		g.edges[i] = slices.Clone(slices.Compact(out))
	}
	for fn, called := range p.called {
		if called && fn >= len(p.imports) {
			t := types[p.typeIndexOf(uint32(fn))]
			g.edges[t] = append(g.edges[t], int32(fn-len(p.imports)))
		}
	}
	g.analyse(functions)
	g.bound(p, functions, types)
	return g
}

// distinctTypes numbers the function types so that equal ones share a number.
func (p *program) distinctTypes() (number []int, n int) {
	number = make([]int, len(p.types))
	seen := make(map[string]int, len(p.types))
	var key []byte
	for i, t := range p.types {
		key = appendTypes(appendTypes(key[:0], t.Params), t.Results)
		if _, ok := seen[string(key)]; !ok {
			seen[string(key)] = len(seen)
		}
		number[i] = seen[string(key)]
	}
	return number, len(seen)
}

// analyse finds the strongly connected components (Tarjan, without recursion),
// which come out callees first, and settles each as it is found.
func (g *callGraph) analyse(functions []function) {
	n := len(g.edges)
	g.recursive = make([]bool, g.functions)
	g.checked, g.checkedLast = make([]bool, g.functions), make([]bool, g.functions)
	const unseen = -1
	order, low := make([]int32, n), make([]int32, n)
	component := make([]int32, n)
	for i := range order {
		order[i], component[i] = unseen, unseen
	}
	chain := make([]uint32, n) // by component: heaviest uncounted chain from it
	type visit struct{ node, next int32 }
	var path []visit
	var open []int32
	counter, components := int32(0), int32(0)

	for root := range n {
		if order[root] != unseen {
			continue
		}
		path = append(path, visit{node: int32(root)})
		order[root], low[root] = counter, counter
		counter++
		open = append(open, int32(root))
		for len(path) > 0 {
			top := &path[len(path)-1]
			v := top.node
			if int(top.next) < len(g.edges[v]) {
				w := g.edges[v][top.next]
				top.next++
				if order[w] == unseen {
					order[w], low[w] = counter, counter
					counter++
					open = append(open, w)
					path = append(path, visit{node: w})
				} else if component[w] == unseen {
					low[v] = min(low[v], order[w])
				}
				continue
			}
			path = path[:len(path)-1]
			if len(path) > 0 {
				parent := path[len(path)-1].node
				low[parent] = min(low[parent], low[v])
			}
			if low[v] != order[v] {
				continue
			}
			start := len(open) - 1
			for open[start] != v {
				start--
			}
			members := open[start:]
			for _, m := range members {
				component[m] = components
			}
			chain[components] = g.settle(members, component, chain, functions)
			g.headroom = max(g.headroom, chain[components])
			components++
			open = open[:start]
		}
	}
}

// settle marks the functions of one component and answers the weight of the
// heaviest chain of uncounted frames that starts in it.
func (g *callGraph) settle(members []int32, component []int32, chain []uint32, functions []function) uint32 {
	cyclic := len(members) > 1 || slices.Contains(g.edges[members[0]], members[0])
	own := component[members[0]]
	heaviest := uint32(0)
	for _, m := range members {
		if cyclic && int(m) < g.functions {
			g.recursive[m] = true
		}
		for _, w := range g.edges[m] {
			if component[w] != own {
				heaviest = max(heaviest, chain[component[w]])
			}
		}
	}
	if cyclic {
		g.cut(members, component, functions)
	} else if m := members[0]; int(m) < g.functions {
		heaviest += functions[m].weight
	}
	return heaviest
}

// cut chooses the functions of a component whose entries are checked, so that
// no cycle is without one: a feedback vertex set, by taking the function with
// the most ways through it until no cycle is left.
func (g *callGraph) cut(members []int32, component []int32, functions []function) {
	members = slices.Clone(members)
	slices.Sort(members)
	local := make(map[int32]int32, len(members))
	for i, m := range members {
		local[m] = int32(i)
	}
	own := component[members[0]]
	c := &cutter{nodes: make([]cutNode, len(members))}
	for i, m := range members {
		for _, w := range g.edges[m] {
			if component[w] == own {
				j := local[w]
				c.nodes[i].out = append(c.nodes[i].out, j)
				c.nodes[j].in = append(c.nodes[j].in, int32(i))
			}
		}
	}
	for i := range c.nodes {
		n := &c.nodes[i]
		n.outs, n.ins = int32(len(n.out)), int32(len(n.in))
		n.function = int(members[i]) < g.functions
		if n.function {
			c.queue = append(c.queue, cutScore{n.score(), int32(i)})
		}
	}
	heap.Init(c)
	for c.Len() > 0 {
		top := c.queue[0]
		n := &c.nodes[top.node]
		switch {
		case n.gone:
			heap.Pop(c)
		case n.score() < top.score:
			c.queue[0].score = n.score()
			heap.Fix(c, 0)
		default:
			heap.Pop(c)
			g.checked[members[top.node]] = true
			c.remove(top.node)
		}
	}
}

// A cutter is the part of a component that still has cycles.
type cutter struct {
	nodes []cutNode
	queue []cutScore // a heap; scores may be out of date, but only too high
	trim  []int32
}

type cutNode struct {
	in, out   []int32
	ins, outs int32 // those that are left
	function  bool
	gone      bool
}

func (n *cutNode) score() int64 { return int64(n.ins) * int64(n.outs) }

type cutScore struct {
	score int64
	node  int32
}

func (c *cutter) Len() int { return len(c.queue) }
func (c *cutter) Less(i, j int) bool {
	a, b := c.queue[i], c.queue[j]
	return a.score > b.score || a.score == b.score && a.node < b.node
}
func (c *cutter) Swap(i, j int) { c.queue[i], c.queue[j] = c.queue[j], c.queue[i] }
func (c *cutter) Push(x any)    { c.queue = append(c.queue, x.(cutScore)) }
func (c *cutter) Pop() any {
	last := c.queue[len(c.queue)-1]
	c.queue = c.queue[:len(c.queue)-1]
	return last
}

// remove takes a node away, and with it all that lies on no cycle any more.
func (c *cutter) remove(node int32) {
	c.trim = append(c.trim[:0], node)
	for len(c.trim) > 0 {
		i := c.trim[len(c.trim)-1]
		c.trim = c.trim[:len(c.trim)-1]
		n := &c.nodes[i]
		if n.gone {
			continue
		}
		n.gone = true
		for _, j := range n.out {
			m := &c.nodes[j]
			if m.ins--; m.ins == 0 && !m.gone {
				c.trim = append(c.trim, j)
			}
		}
		for _, j := range n.in {
			m := &c.nodes[j]
			if m.outs--; m.outs == 0 && !m.gone {
				c.trim = append(c.trim, j)
			}
		}
	}
}
