package meter

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// graphOf analyses a graph of functions that call each other directly.
func graphOf(edges [][]int32, weights []uint32) *callGraph {
	p := &program{types: []FuncType{{}}, funcs: make([]uint32, len(edges))}
	functions := make([]function, len(edges))
	for i, out := range edges {
		functions[i].weight = weights[i]
		for _, to := range out {
			functions[i].events = append(functions[i].events, event{kind: evCall, arg: uint32(to)})
		}
	}
	return newCallGraph(p, functions)
}

// TestCallGraph holds the analysis of random graphs against its definitions.
func TestCallGraph(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for round := range 500 {
		n := 1 + random.IntN(40)
		edges, weights := make([][]int32, n), make([]uint32, n)
		for i := range edges {
			weights[i] = 1 + random.Uint32N(20)
		}
		for range random.IntN(3 * n) {
			from := random.IntN(n)
			edges[from] = append(edges[from], random.Int32N(int32(n)))
		}
		g := graphOf(edges, weights)
		reach := closure(edges)
		for i := range n {
			if g.recursive[i] != reach[i][i] {
				t.Fatalf("round %d: function %d recursive: %v, want %v", round, i, g.recursive[i], reach[i][i])
			}
			if g.checked[i] && !g.recursive[i] {
				t.Fatalf("round %d: function %d is checked and on no cycle", round, i)
			}
		}
		var unchecked [][]int32
		for i, out := range edges {
			unchecked = append(unchecked, nil)
			for _, j := range out {
				if !g.checked[i] && !g.checked[j] {
					unchecked[i] = append(unchecked[i], j)
				}
			}
		}
		for i, reached := range closure(unchecked) {
			if reached[i] {
				t.Fatalf("round %d: a cycle through function %d is not checked", round, i)
			}
		}
		if want := heaviest(edges, weights, g.recursive); g.headroom != want {
			t.Fatalf("round %d: headroom %d, want %d", round, g.headroom, want)
		}
	}
}

// closure says what can be reached from where by one edge or more.
func closure(edges [][]int32) [][]bool {
	n := len(edges)
	reach := make([][]bool, n)
	for i := range reach {
		reach[i] = make([]bool, n)
		for _, j := range edges[i] {
			reach[i][j] = true
		}
	}
	for k := range n {
		for i := range n {
			for j := range n {
				reach[i][j] = reach[i][j] || reach[i][k] && reach[k][j]
			}
		}
	}
	return reach
}

// heaviest is the weight of the frames that are not counted on the heaviest
// path: those of recursive functions weigh nothing.
func heaviest(edges [][]int32, weights []uint32, recursive []bool) uint32 {
	n := len(edges)
	best, next := make([]uint32, n), make([]uint32, n)
	for range n + 1 { // a path of uncounted functions visits none twice
		for i := range n {
			own := weights[i]
			if recursive[i] {
				own = 0
			}
			next[i] = own
			for _, j := range edges[i] {
				next[i] = max(next[i], own+best[j])
			}
		}
		best, next = next, best
	}
	most := uint32(0)
	for _, w := range best {
		most = max(most, w)
	}
	return most
}

// TestIndirectCalls: an indirect call leads to the functions of its type that a
// reference may hold, and to no others.
func TestIndirectCalls(t *testing.T) {
	p := &program{
		types: []FuncType{{}, {Params: []ValType{I32}}, {}},
		funcs: []uint32{0, 1, 0}, called: []bool{true, true, false},
	}
	functions := []function{
		{events: []event{{kind: evCallIndirect, arg: 2}}}, // of a type equal to its own
		{events: []event{{kind: evCallIndirect, arg: 2}}}, // of another type than its own
		{events: []event{{kind: evCallIndirect, arg: 0}}}, // of its own type, but nobody refers to it
	}
	g := newCallGraph(p, functions)
	for i, want := range []bool{true, false, false} {
		if g.recursive[i] != want {
			t.Errorf("function %d recursive: %v, want %v", i, g.recursive[i], want)
		}
	}
}

// TestBetweenChecks holds what can happen between two checks against its limits.
func TestBetweenChecks(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	more := 0
	for round := range 500 {
		n := 2 + random.IntN(60)
		p := &program{types: []FuncType{{}, {Params: []ValType{I32}}, {Results: []ValType{I32}}}, called: make([]bool, n)}
		functions := make([]function, n)
		for i := range functions {
			functions[i].weight = 1 + random.Uint32N(frameWeightMax)
			functions[i].cost = random.Uint64N(uncheckedCostMax / 2)
			p.funcs = append(p.funcs, random.Uint32N(3))
			p.called[i] = random.IntN(3) == 0
			for range random.IntN(4) {
				e := event{kind: evCall, arg: uint32(min(n-1, i+random.IntN(5)))} // mostly forwards
				switch random.IntN(12) {
				case 0:
					e = event{kind: evCallIndirect, arg: random.Uint32N(3)}
				case 1:
					e.arg = random.Uint32N(uint32(n))
				}
				functions[i].events = append(functions[i].events, e)
			}
		}
		g := newCallGraph(p, functions)
		callees := func(e event) (list []int) {
			for j := range n {
				if e.kind == evCall && int(e.arg) == j || e.kind == evCallIndirect && p.called[j] && p.funcs[j] == e.arg {
					list = append(list, j)
				}
			}
			return list
		}
		weight, cost := make([]uint32, n), make([]uint64, n)
		var visit func(i, deep int)
		visit = func(i, deep int) {
			if weight[i] > 0 {
				return
			}
			if deep > n {
				t.Fatalf("round %d: a cycle through function %d is not checked", round, i)
			}
			total, heaviest := functions[i].cost, uint32(0)
			for _, e := range functions[i].events {
				most := uint64(0)
				for _, j := range callees(e) {
					if !g.checked[j] {
						visit(j, deep+1)
						heaviest, most = max(heaviest, weight[j]), max(most, cost[j])
					}
				}
				total += most
			}
			weight[i], cost[i] = heaviest+1, total
			if g.recursive[i] {
				weight[i] = heaviest + functions[i].weight
			}
		}
		for i := range n {
			if g.checked[i] {
				if !g.recursive[i] {
					more++
				}
				continue
			}
			visit(i, 0)
			if weight[i] > uncheckedMax+uint32(n) {
				t.Fatalf("round %d: frames of %d slots from function %d on, unchecked", round, weight[i], i)
			}
			if cost[i] > uncheckedCostMax {
				t.Fatalf("round %d: an unchecked call of function %d can cost %d", round, i, cost[i])
			}
		}
	}
	if more == 0 {
		t.Error("no function that is not recursive was checked")
	}
}

// TestStretch: what a function of very many calls calls is checked, directly or
// through a table, if it is not small.
func TestStretch(t *testing.T) {
	for _, c := range []struct {
		name string
		call event
		cost uint64 // of the function called
		n    int
		want bool
	}{
		{"few", event{kind: evCall, arg: 1}, smallCost + 1, 100, false},
		{"many", event{kind: evCall, arg: 1}, smallCost + 1, stretchCostMax / smallCost, true},
		{"many through a table", event{kind: evCallIndirect, arg: 1}, smallCost + 1, stretchCostMax / smallCost, true},
		{"many small ones", event{kind: evCall, arg: 1}, smallCost, stretchCostMax/smallCost + 1, false},
	} {
		p := &program{types: []FuncType{{}, {Params: []ValType{I32}}}, funcs: []uint32{0, 1}, called: []bool{false, true}}
		g := newCallGraph(p, []function{{events: slices.Repeat([]event{c.call}, c.n)}, {cost: c.cost}})
		if g.checked[1] != c.want {
			t.Errorf("%s: checked is %v, want %v", c.name, g.checked[1], c.want)
		}
		if want := uint64(c.n)*c.cost > checkedLastCost; g.checkedLast[0] != want {
			t.Errorf("%s: checked as it ends is %v, want %v", c.name, g.checkedLast[0], want)
		}
	}
}
