package meter

import (
	"math/rand/v2"
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
