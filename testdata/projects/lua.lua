-- What Lua asks of its C library: numbers, strings, files, time, and setjmp, all
-- over its own. It prints the same on every machine.

local check = print

-- Errors, which are longjmp.
local function nest(n)
  if n == 0 then error({depth = 'bottom'}) end
  local ok, e = pcall(nest, n - 1)
  error(e, 0)
end
local ok, e = pcall(nest, 40)
check('nested pcall', not ok and e.depth == 'bottom')
check('error in pcall 10000 times', (function()
  local n = 0
  for i = 1, 10000 do if not pcall(error, i) then n = n + 1 end end
  return n == 10000
end)())
check('xpcall', select(2, xpcall(function() local x = nil; return x.y end, function(m) return 'handled: ' .. m:match('attempt.*') end)))
check('error with a number', select(2, pcall(error, 42)))
check('assert', select(2, pcall(assert, false, 'said')))
check('tostring of an error', select(2, pcall(string.rep)))
check('stack overflow', not pcall(function() local function f() return 1 + f() end return f() end))
check('string too long', not pcall(string.rep, 'x', 1 << 40))
do
  local closed = {}
  pcall(function()
    local a <close> = setmetatable({}, {__close = function() closed[#closed + 1] = 'a' end})
    local b <close> = setmetatable({}, {__close = function() closed[#closed + 1] = 'b' end})
    error('x')
  end)
  check('to be closed', table.concat(closed) == 'ba')
end

-- Coroutines.
local function gen(n) return coroutine.wrap(function() for i = 1, n do coroutine.yield(i) end end) end
local sum = 0
for i in gen(1000) do sum = sum + i end
check('coroutine', sum == 500500)
local co = coroutine.create(function() local ok, e = pcall(function() coroutine.yield(1); error('inside') end); coroutine.yield(e); error('out') end)
local _, first = coroutine.resume(co)
local _, second = coroutine.resume(co)
local third, out = coroutine.resume(co)
check('yield across pcall', first == 1 and second:match('inside') and not third and out:match('out'))
local function inside(n) if n == 0 then return 'bottom' end return coroutine.wrap(inside)(n - 1) end
check('coroutines in coroutines', inside(40) == 'bottom')

-- Numbers.
check('integers', 7 // 2, -7 // 2, 7 % -3, 7 // 0.0, 2^53, 1 << 62, 0xff ~ 0x0f, math.maxinteger + 1 == math.mininteger)
check('division by zero', select(2, pcall(function() return 1 // 0 end)))
check('floats', string.format('%.14g %.3f %5.1e %a', 0.1, 2 / 3, 12345.678, 0.5), 1e15, 1e100, -0.0, 3.0)
check('inf and nan', 1 / 0, -1 / 0, math.huge == 1 / 0, 0 / 0 ~= 0 / 0)
check('conversions', tonumber('0x1p4'), tonumber('1e1'), tonumber('  10  '), tonumber('z', 36), tonumber('8', 8), math.tointeger(3.0), '10' + 5)
check('math', math.floor(-1.5), math.ceil(-1.5), math.fmod(-5, 3), math.ult(1, -1), math.type(1), math.type(1.0))
check('functions', string.format('%.10f %.10f %.10f %.10f', math.sin(1), math.exp(1), math.log(10, 2), math.sqrt(2)))
math.randomseed(42)
local a = math.random(1000000)
math.randomseed(42)
check('random', a == math.random(1000000), a)

-- Strings.
check('gsub', (('hello world'):gsub('o', '0')), (('abc'):gsub('%w', '%0%0')), (('x = 1'):gsub('(%w+) = (%w+)', '%2 = %1')))
check('find', ('a.b'):find('.', 1, true), ('key = value'):match('^(%w+)%s*=%s*(%w+)$'))
check('frontier', ('THE (quick) fox'):find('%f[%a]%a+%f[%A]'))
check('balanced', ('f(a(b)c)d'):match('%b()'))
check('gmatch', (function() local t = {} for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)') do t[#t + 1] = k .. v end return table.concat(t, ';') end)())
check('format', ('%5d|%-5d|%05.1f|%x|%q|%s|%c|%%|%i'):format(42, 42, 3.14159, 255, 'a\n"b"', nil, 65, 7))
check('pack', string.unpack('<i4 >I2 z s1', string.pack('<i4 >I2 z s1', -2, 258, 'zero', 'one')))
check('utf8', utf8.char(0x20ac, 0x1f600), utf8.len('añ€'), utf8.codepoint('€'))
check('rep and byte', ('ab'):rep(3, '-'), ('abc'):byte(1, -1))
check('locale', os.setlocale(), os.setlocale('C'))

-- Tables, goto, metatables, garbage.
local t = {5, 2, 8, 1}
table.sort(t, function(x, y) return x > y end)
check('sort', table.concat(t, ' '), table.unpack(table.move(t, 1, 2, 3)))
for i = 1, 3 do
  for j = 1, 3 do
    if j == 2 then goto continue end
    t[#t + 1] = i * j
    ::continue::
  end
end
check('goto', table.concat(t, ' '))
local v = setmetatable({}, {__index = function(_, k) return k * 2 end, __call = function(_, x) return x + 1 end, __lt = function() return true end, __concat = function() return 'cat' end, __len = function() return 9 end})
check('metatables', v[21], v(1), v < v, v .. 'x', #v)
local weak = setmetatable({}, {__mode = 'v'})
weak[1] = {}
local finalised = 0
for _ = 1, 100 do setmetatable({}, {__gc = function() finalised = finalised + 1 end}) end
collectgarbage()
check('garbage', weak[1] == nil, finalised)
check('load', load('return 1 + ...')(41), select(2, load('return +')))
check('dump', load(string.dump(function(x) return x * 2 end))(21))
check('require', not pcall(require, 'nothing'), select(2, pcall(require, 'string')) == string)

-- Files.
local name = 'written.txt'
local f <close> = assert(io.open(name, 'w'))
check('write', io.type(f), f:write('line 1\n', 2, '\n', 3.5, '\nrest') == f)
f:close()
local lines = {}
for l in io.lines(name) do lines[#lines + 1] = l end
check('lines', table.concat(lines, '|'))
local g = assert(io.open(name, 'r+'))
check('read', g:read('l', 'n', 'n', 'L', 2, 'a'))
check('seek', g:seek('set', 5), g:read(1), g:seek('cur'), g:seek('end'))
g:seek('set', 0)
g:write('LINE')
check('setvbuf', g:setvbuf('full', 1024), g:flush() == g)
g:close()
check('io.input', io.input(name) and io.read('l'), io.close(io.input()))
check('closed', select(2, pcall(io.read)))
check('open', (io.open('nowhere/at/all')), (select(2, io.open('nowhere/at/all'))))
check('rename', os.rename(name, 'renamed.txt'), os.remove('renamed.txt'), (os.remove('renamed.txt')))

-- The system.
check('time', os.time({year = 2026, month = 11, day = 21, hour = 12}), os.date('!%Y-%m-%d %H:%M:%S', 86400), os.date('!*t', 0).year)
check('difftime', os.difftime(10, 5), type(os.clock()), os.getenv('NO_SUCH_VARIABLE'))
check('debug', debug.traceback('tb', 1):match('^tb\nstack traceback:\n') ~= nil, debug.getinfo(1, 'S').what)
os.exit(true, true)
