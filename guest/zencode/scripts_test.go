package zencode_test

// scripts are held against node. They are ours, written by Zenroom's documentation.
var scripts = []script{
	{Name: "hello", Script: "Given nothing\nThen print the string 'hello'\n"},
	{Name: "random", Script: "Given nothing\nWhen I create the random of '16' bytes\nThen print the 'random' as 'hex'\n"},
	{Name: "missing", Script: "Given I have a 'string' named 'x'\nThen print data\n"},
	{Name: "syntax", Script: "Given nothing\nWhen I do what nobody knows\nThen print data\n"},
	{Name: "data", Script: "Given I have a 'string' named 'greeting'\nand I have a 'string array' named 'names'\nThen print the 'names'\nand print the 'greeting'\n", Data: `{"greeting": "hi", "names": ["a", "b"]}`},
	{Name: "keys and data", Script: "Given I have a 'string' named 'k'\nand I have a 'string' named 'd'\nThen print data\n", Data: `{"d": "1"}`, Keys: `{"k": "2"}`},
	{Name: "ecdh keyring", Script: "Scenario 'ecdh': keys\nGiven I am 'Alice'\nWhen I create the ecdh key\nand I create the ecdh public key\nThen print my 'keyring'\nand print my 'ecdh public key'\n"},
	{Name: "hash", Script: "Given I have a 'string' named 'text'\nWhen I create the hash of 'text' using 'sha512'\nThen print the 'hash' as 'hex'\n", Data: `{"text": "abc"}`},
	{Name: "not JSON", Script: "Given nothing\nThen print data\n", Data: "{"},
	{Name: "lua", Lua: true, Script: "print(1 + 1)\nprint(OCTET.random(8):hex())\nprint(string.rep('x', 3), #DATA)", Data: "{}"},
	{Name: "lua error", Lua: true, Script: "print('before')\nerror('on purpose')"},
	{Name: "lua pcall", Lua: true, Script: "local ok, e = pcall(function() error({ code = 7 }) end)\nprint(ok, e.code)\nprint(select('#', pcall(error)))"},
	{Name: "big numbers", Lua: true, Script: "local a = BIG.new(O.from_hex('ffffffffffffffff'))\nprint((a * a):hex())\nprint(BIG.from_decimal('123456789012345678901234567890'):decimal())"},
	{Name: "formats", Lua: true, Script: "print(string.format('%5.2f|%d|%x|%s|%q', 3.14159, 42, 255, 'x', 'a\\nb'))\nprint(10 // 3, 10 % 3, 2 ^ 10, 7 / 2)"},
}
