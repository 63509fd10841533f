package meter

// bound checks more functions, so that little can happen between two checks, in
// recursion or not:
//
//   - the frames that are counted in between weigh at most uncheckedMax;
//   - a call of a function that is not checked costs at most uncheckedCostMax,
//     with all that is called from there, each instruction counted once: loops
//     check at their heads. Without this, twenty functions that each call the
//     next one a thousand times would never end.
//   - a function that can cost more than checkedLastCost, with all that it calls
//     unchecked, is checked as it ends too. Without this, all that deep recursion
//     does on its way back would be done at once.
//   - of what a function calls that can cost more than stretchCostMax in this way,
//     all is checked that is not small. Without this, a function of two million
//     calls would take minutes.
//
// types are the graph's nodes of function types.
func (g *callGraph) bound(p *program, functions []function, types []int) {
	order := g.callersFirst()
	chain := make([]uint32, len(g.edges)) // weight of the heaviest unchecked chain up to a node's callers
	for _, n := range order {
		weight := chain[n]
		if int(n) < g.functions {
			if g.recursive[n] {
				weight += functions[n].weight
			}
			g.checked[n] = g.checked[n] || weight > uncheckedMax
			if g.checked[n] {
				weight = 0
			}
		}
		for _, callee := range g.edges[n] {
			chain[callee] = max(chain[callee], weight)
		}
	}
	cost := make([]uint64, len(g.edges)) // of a call of a node, 0 if it is checked
	for i := range order {
		n := order[len(order)-1-i]
		if int(n) >= g.functions {
			for _, callee := range g.edges[n] {
				cost[n] = max(cost[n], cost[callee])
			}
			continue
		}
		total := functions[n].cost
		for _, e := range functions[n].events {
			switch {
			case e.kind == evCall && int(e.arg) >= len(p.imports):
				total += cost[int(e.arg)-len(p.imports)]
			case e.kind == evCallIndirect:
				total += cost[types[e.arg]]
			}
		}
		if total > stretchCostMax {
			for _, callee := range g.edges[n] {
				g.shorten(callee, cost)
			}
		}
		g.checkedLast[n] = total > checkedLastCost
		if g.checked[n] = g.checked[n] || total > uncheckedCostMax; !g.checked[n] {
			cost[n] = total
		}
	}
}

// shorten checks what a node may call, if it is not small.
func (g *callGraph) shorten(n int32, cost []uint64) {
	if cost[n] <= smallCost {
		return
	}
	if int(n) < g.functions {
		g.checked[n], cost[n] = true, 0
		return
	}
	cost[n] = 0
	for _, callee := range g.edges[n] {
		g.shorten(callee, cost)
		cost[n] = max(cost[n], cost[callee])
	}
}

// callersFirst orders the nodes so that each comes after all that lead to it,
// where what leads to a checked function does not count: every cycle has one.
func (g *callGraph) callersFirst() []int32 {
	callers := make([]int32, len(g.edges))
	for _, out := range g.edges {
		for _, n := range out {
			callers[n]++
		}
	}
	order := make([]int32, 0, len(g.edges))
	for n := range g.edges {
		if callers[n] == 0 || n < g.functions && g.checked[n] {
			order = append(order, int32(n))
		}
	}
	for next := 0; next < len(order); next++ {
		for _, n := range g.edges[order[next]] {
			if callers[n]--; callers[n] == 0 && !(int(n) < g.functions && g.checked[n]) {
				order = append(order, n)
			}
		}
	}
	return order
}
