package zencode_test

import "strings"

// lines are a script, a statement on each.
func lines(statements ...string) string { return strings.Join(statements, "\n") + "\n" }

// signing is a script that makes a key of a scheme, and signs.
func signing(scenario, scheme string) script {
	return script{Name: "sign by " + scheme, Data: `{"message": "I love the Beatles, all but 3"}`, Script: lines(
		"Rule check version 5.0.0", "Scenario '"+scenario+"': sign", "Given I am 'Alice'", "and I have a 'string' named 'message'",
		"When I create the "+scheme+" key", "and I create the "+scheme+" public key", "and I create the "+scheme+" signature of 'message'",
		"Then print my 'keyring'", "and print my '"+scheme+" public key'", "and print the '"+scheme+" signature'",
	)}
}

// kem is a script that makes a key of a scheme, and a secret for it.
func kem(scheme string) script {
	return script{Name: "secret by " + scheme, Script: lines(
		"Scenario 'qp': kem", "Given I am 'Alice'", "When I create the "+scheme+" key", "and I create the "+scheme+" public key",
		"Then print my 'keyring'", "and print my '"+scheme+" public key'",
	)}
}

const numbers = `{"numbers": [3, 1, 2], "a": 7, "b": 5, "words": ["one", "two", "three"], "t": {"x": "1", "y": "2"}, "text": "abc", "m": "hello", "k": "secret"}`

// scripts are held against node. They are ours, written by Zenroom's documentation.
var scripts = []script{
	{Name: "hello", Script: "Given nothing\nThen print the string 'hello'\n"},
	{Name: "random", Script: "Given nothing\nWhen I create the random of '16' bytes\nThen print the 'random' as 'hex'\n"},
	{Name: "missing", Script: "Given I have a 'string' named 'x'\nThen print data\n"},
	{Name: "syntax", Script: "Given nothing\nWhen I do what nobody knows\nThen print data\n"},
	{Name: "data", Script: "Given I have a 'string' named 'greeting'\nand I have a 'string array' named 'names'\nThen print the 'names'\nand print the 'greeting'\n", Data: `{"greeting": "hi", "names": ["a", "b"]}`},
	{Name: "keys and data", Script: "Given I have a 'string' named 'k'\nand I have a 'string' named 'd'\nThen print data\n", Data: `{"d": "1"}`, Keys: `{"k": "2"}`},
	{Name: "not JSON", Script: "Given nothing\nThen print data\n", Data: "{"},
	{Name: "ecdh keyring", Script: "Scenario 'ecdh': keys\nGiven I am 'Alice'\nWhen I create the ecdh key\nand I create the ecdh public key\nThen print my 'keyring'\nand print my 'ecdh public key'\n"},

	signing("ecdh", "ecdh"), signing("eddsa", "eddsa"), signing("schnorr", "schnorr"), signing("es256", "es256"),
	signing("qp", "dilithium"), signing("qp", "mldsa44"),
	kem("kyber"), kem("mlkem512"), kem("ntrup"),

	{Name: "hash", Data: numbers, Script: lines("Given I have a 'string' named 'text'", "When I create the hash of 'text' using 'sha512'", "Then print the 'hash' as 'hex'")},
	{Name: "sha256", Data: numbers, Script: lines("Given I have a 'string' named 'text'", "When I create the hash of 'text'", "Then print the 'hash' as 'hex'")},
	{Name: "HMAC", Data: numbers, Script: lines("Given I have a 'string' named 'm'", "and I have a 'string' named 'k'", "When I create the HMAC of 'm' with key 'k'", "Then print the 'HMAC' as 'hex'")},
	{Name: "key derivation", Data: numbers, Script: lines("Given I have a 'string' named 'm'", "When I create the key derivation of 'm' with '100' rounds", "Then print the 'key derivation' as 'hex'")},
	{Name: "encrypt", Data: numbers, Script: lines("Scenario 'ecdh': encrypt", "Given I have a 'string' named 'm'", "and I have a 'string' named 'k'",
		"When I write string 'header' in 'header'", "and I encrypt the secret message 'm' with 'k'", "Then print the 'secret message'")},
	{Name: "arithmetic", Data: numbers, Script: lines("Given I have a 'number' named 'a'", "and I have a 'number' named 'b'", "When I create the result of 'a' + 'b'", "Then print the 'result'")},
	{Name: "formula", Data: numbers, Script: lines("Given I have a 'number' named 'a'", "and I have a 'number' named 'b'", "When I create the result of 'a' * 'b'", "Then print the 'result'")},
	{Name: "if", Data: numbers, Script: lines("Given I have a 'number' named 'a'", "and I have a 'number' named 'b'",
		"If I verify number 'a' is more than 'b'", "Then print the string 'a is more'", "EndIf", "If I verify number 'a' is less than 'b'", "Then print the string 'b is more'", "EndIf")},
	{Name: "verify fails", Data: numbers, Script: lines("Given I have a 'string' named 'm'", "and I have a 'string' named 'k'", "When I verify 'm' is equal to 'k'", "Then print data")},
	{Name: "array", Data: numbers, Script: lines("Given I have a 'string array' named 'words'", "When I create the size of 'words'", "Then print the 'size'", "and print the 'words'")},
	{Name: "foreach", Data: numbers, Script: lines("Given I have a 'string array' named 'words'", "When I create the 'string array' named 'copy'",
		"Foreach 'word' in 'words'", "When I move 'word' in 'copy'", "EndForeach", "Then print the 'copy'")},
	{Name: "found", Data: numbers, Script: lines("Given I have a 'string array' named 'words'", "and I have a 'string' named 'text'", "If I verify 'text' is not found in 'words'", "Then print the string 'no'", "EndIf")},
	{Name: "dictionary", Data: numbers, Script: lines("Given I have a 'string dictionary' named 't'", "Then print the 't'")},
	{Name: "rename", Data: numbers, Script: lines("Given I have a 'string' named 'text'", "When I rename 'text' to 'other'", "Then print the 'other'")},
	{Name: "join", Data: numbers, Script: lines("Given I have a 'string' named 'text'", "and I have a 'string' named 'm'", "When I append 'm' to 'text'", "Then print the 'text'")},
	{Name: "base64", Data: `{"b": "aGVsbG8="}`, Script: lines("Given I have a 'base64' named 'b'", "Then print the 'b'", "and print data as 'hex'")},
	{Name: "hex", Data: `{"h": "00ff10"}`, Script: lines("Given I have a 'hex' named 'h'", "Then print the 'h' as 'base64'")},
	{Name: "bad hex", Data: `{"h": "xyz"}`, Script: lines("Given I have a 'hex' named 'h'", "Then print the 'h'")},
	{Name: "time", Data: `{"now": 1700000000}`, Script: lines("Scenario 'time': t", "Given I have a 'time' named 'now'", "When I create the UTC timestamp of 'now'", "Then print the 'UTC timestamp'")},
	{Name: "secret shares", Data: numbers, Script: lines("Scenario 'secshare': s", "Given I have a 'string' named 'k'", "When I create the secret shares of 'k' with '5' quorum '3'", "Then print the 'secret shares'")},
	{Name: "random array", Script: lines("Given nothing", "When I create the random array with '4' elements each of '32' bits", "Then print the 'random array'")},
	{Name: "uuid", Script: lines("Given nothing", "When I create the random uuid v4", "Then print data")},
	{Name: "ethereum address", Script: lines("Scenario 'ethereum': a", "Given I am 'Alice'", "When I create the ethereum key", "and I create the ethereum address", "Then print my 'ethereum address'")},
	{Name: "did", Script: lines("Scenario 'w3c': jwk", "Scenario 'es256': key", "Given I am 'Alice'", "When I create the es256 key", "and I create the jwk of es256 public key", "Then print the 'jwk'")},
	{Name: "credential key", Script: lines("Scenario 'credential': k", "Given I am 'Alice'", "When I create the credential key", "and I create the credential request", "Then print my 'keyring'", "and print my 'credential request'")},
	{Name: "issuer key", Script: lines("Scenario 'credential': i", "Given I am 'MadHatter'", "When I create the issuer key", "and I create the issuer public key", "Then print my 'keyring'", "and print my 'issuer public key'")},
	{Name: "context", Script: "Given nothing\nThen print the string 'x'\n", Context: `{"c": 1}`, Extra: `{"e": 2}`},
	{Name: "rule unknown", Script: lines("Rule unknown ignore", "Given nothing", "and what nobody knows", "Then print the string 'x'")},
	{Name: "version", Script: lines("Rule check version 99.0.0", "Given nothing", "Then print the string 'x'")},

	{Name: "lua", Lua: true, Script: "print(1 + 1)\nprint(OCTET.random(8):hex())\nprint(string.rep('x', 3), #DATA)", Data: "{}"},
	{Name: "lua error", Lua: true, Script: "print('before')\nerror('on purpose')"},
	{Name: "lua syntax", Lua: true, Script: "print('before'\n)("},
	{Name: "lua pcall", Lua: true, Script: "local ok, e = pcall(function() error({ code = 7 }) end)\nprint(tostring(ok), e.code)\nprint(select('#', pcall(error)))"},
	{Name: "lua coroutines", Lua: true, Script: "local co = coroutine.wrap(function() for n = 1, 3 do coroutine.yield(n) end end)\nprint(co(), co(), co())"},
	{Name: "lua recursion", Lua: true, Script: "local function f(n) return n == 0 and 0 or 1 + f(n - 1) end\nprint(f(1000))\nprint(tostring(pcall(function() local function g() return 1 + g() end return g() end)))"},
	{Name: "big numbers", Lua: true, Script: "local a = BIG.new(O.from_hex('ffffffffffffffff'))\nprint((a * a):hex())\nprint(BIG.from_decimal('123456789012345678901234567890'):decimal())"},
	{Name: "formats", Lua: true, Script: "print(string.format('%5.2f|%d|%x|%s|%q', 3.14159, 42, 255, 'x', 'a\\nb'))\nprint(10 // 3, 10 % 3, 2 ^ 10, 7 / 2)"},
}
