// Objects that are made, linked, read and changed: a binary tree, and points in a list.
function kernel() {
  const insert = (tree, key) => {
    if (tree === null) return { key, left: null, right: null, count: 1 };
    if (key < tree.key) tree.left = insert(tree.left, key);
    else if (key > tree.key) tree.right = insert(tree.right, key);
    else tree.count += 1;
    return tree;
  };
  const sum = (tree) => (tree === null ? 0 : tree.key * tree.count + sum(tree.left) + sum(tree.right));
  let tree = null;
  let seed = 1;
  for (let n = 0; n < 4000; n++) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    tree = insert(tree, seed % 10007);
  }
  let total = sum(tree);
  let points = null;
  for (let n = 0; n < 40000; n++) points = { x: n, y: n & 7, z: { w: n % 3 }, next: n % 100 === 0 ? null : points };
  for (let p = points; p !== null; p = p.next) total += p.x * p.y + p.z.w;
  return String(total);
}
