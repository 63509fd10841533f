"""Which colours Newton names, and his longest sentence about one of them."""
import collections, re

text = re.sub(r"\s+", " ", open("/text/opticks.txt").read())
colours = collections.Counter(re.findall(r"\b(red|orange|yellow|green|blue|indigo|violet)\b", text.lower()))
print(", ".join(f"{colour} {n}" for colour, n in colours.most_common()))
sentence = max((s for s in re.split(r"(?<=[.?!]) ", text) if "violet" in s), key=len)
print(f"longest sentence with violet in it: {len(sentence.split())} words")
with open("/out/colours.csv", "w") as f:
    for colour, n in sorted(colours.items()):
        print(colour, n, sep=",", file=f)
