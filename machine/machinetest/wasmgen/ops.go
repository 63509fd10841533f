package wasmgen

import (
	"fmt"
	"strings"
)

// A ValType is a WebAssembly value type, as in the binary format.
type ValType byte

const (
	I32       ValType = 0x7f
	I64       ValType = 0x7e
	F32       ValType = 0x7d
	F64       ValType = 0x7c
	V128      ValType = 0x7b
	FuncRef   ValType = 0x70
	ExternRef ValType = 0x6f
)

// letters are the value types in the signatures of the instruction table.
var letters = map[byte]ValType{'i': I32, 'l': I64, 'f': F32, 'd': F64, 'v': V128, 'r': FuncRef, 'e': ExternRef}

var typeNames = map[ValType]string{
	I32: "i32", I64: "i64", F32: "f32", F64: "f64", V128: "v128", FuncRef: "funcref", ExternRef: "externref",
}

func (t ValType) String() string {
	if name, ok := typeNames[t]; ok {
		return name
	}
	return fmt.Sprintf("type(0x%02x)", byte(t))
}

// An Instr is an instruction of WebAssembly 2.0.
type Instr struct {
	Name    string
	Prefix  byte   // 0, 0xfc or 0xfd
	Code    uint32 // the opcode, after the prefix if there is one
	Imm     string // immediates, a letter each: see table
	Natural uint32 // log2 of the natural alignment, of loads and stores
	Lanes   int    // lanes that a lane immediate may name
	Params  []ValType
	Results []ValType
	Fixed   bool // Params and Results say all; false for parametric and control instructions
}

// table lists all instructions. Each line is: prefix, first opcode, signature,
// immediates, names with consecutive opcodes ("-" leaves one out). A signature
// "?" depends on the context. Immediates:
//
//	x index   s i32   S i64   f f32   d f64   V v128 (two i64)
//	b block type   t br_table   T result types of select   h heap type
//	mN offset and alignment, natural alignment 2^N
//	nN lane of N   w sixteen lanes   z a zero byte
const table = `
00 00 ? . unreachable nop
00 02 ? b block loop if
00 05 ? . else
00 0b ? . end
00 0c ? x br br_if
00 0e ? t br_table
00 0f ? . return
00 10 ? x call
00 11 ? xx call_indirect
00 1a ? . drop select
00 1c ? T select_t
00 20 ? x local.get local.set local.tee global.get global.set table.get table.set
00 28 i>i m2 i32.load
00 29 i>l m3 i64.load
00 2a i>f m2 f32.load
00 2b i>d m3 f64.load
00 2c i>i m0 i32.load8_s i32.load8_u
00 2e i>i m1 i32.load16_s i32.load16_u
00 30 i>l m0 i64.load8_s i64.load8_u
00 32 i>l m1 i64.load16_s i64.load16_u
00 34 i>l m2 i64.load32_s i64.load32_u
00 36 ii> m2 i32.store
00 37 il> m3 i64.store
00 38 if> m2 f32.store
00 39 id> m3 f64.store
00 3a ii> m0 i32.store8
00 3b ii> m1 i32.store16
00 3c il> m0 i64.store8
00 3d il> m1 i64.store16
00 3e il> m2 i64.store32
00 3f >i z memory.size
00 40 i>i z memory.grow
00 41 >i s i32.const
00 42 >l S i64.const
00 43 >f f f32.const
00 44 >d d f64.const
00 45 i>i . i32.eqz
00 46 ii>i . i32.eq i32.ne i32.lt_s i32.lt_u i32.gt_s i32.gt_u i32.le_s i32.le_u i32.ge_s i32.ge_u
00 50 l>i . i64.eqz
00 51 ll>i . i64.eq i64.ne i64.lt_s i64.lt_u i64.gt_s i64.gt_u i64.le_s i64.le_u i64.ge_s i64.ge_u
00 5b ff>i . f32.eq f32.ne f32.lt f32.gt f32.le f32.ge
00 61 dd>i . f64.eq f64.ne f64.lt f64.gt f64.le f64.ge
00 67 i>i . i32.clz i32.ctz i32.popcnt
00 6a ii>i . i32.add i32.sub i32.mul i32.div_s i32.div_u i32.rem_s i32.rem_u i32.and i32.or i32.xor i32.shl i32.shr_s i32.shr_u i32.rotl i32.rotr
00 79 l>l . i64.clz i64.ctz i64.popcnt
00 7c ll>l . i64.add i64.sub i64.mul i64.div_s i64.div_u i64.rem_s i64.rem_u i64.and i64.or i64.xor i64.shl i64.shr_s i64.shr_u i64.rotl i64.rotr
00 8b f>f . f32.abs f32.neg f32.ceil f32.floor f32.trunc f32.nearest f32.sqrt
00 92 ff>f . f32.add f32.sub f32.mul f32.div f32.min f32.max f32.copysign
00 99 d>d . f64.abs f64.neg f64.ceil f64.floor f64.trunc f64.nearest f64.sqrt
00 a0 dd>d . f64.add f64.sub f64.mul f64.div f64.min f64.max f64.copysign
00 a7 l>i . i32.wrap_i64
00 a8 f>i . i32.trunc_f32_s i32.trunc_f32_u
00 aa d>i . i32.trunc_f64_s i32.trunc_f64_u
00 ac i>l . i64.extend_i32_s i64.extend_i32_u
00 ae f>l . i64.trunc_f32_s i64.trunc_f32_u
00 b0 d>l . i64.trunc_f64_s i64.trunc_f64_u
00 b2 i>f . f32.convert_i32_s f32.convert_i32_u
00 b4 l>f . f32.convert_i64_s f32.convert_i64_u
00 b6 d>f . f32.demote_f64
00 b7 i>d . f64.convert_i32_s f64.convert_i32_u
00 b9 l>d . f64.convert_i64_s f64.convert_i64_u
00 bb f>d . f64.promote_f32
00 bc f>i . i32.reinterpret_f32
00 bd d>l . i64.reinterpret_f64
00 be i>f . f32.reinterpret_i32
00 bf l>d . f64.reinterpret_i64
00 c0 i>i . i32.extend8_s i32.extend16_s
00 c2 l>l . i64.extend8_s i64.extend16_s i64.extend32_s
00 d0 ? h ref.null
00 d1 ? . ref.is_null
00 d2 >r x ref.func
fc 00 f>i . i32.trunc_sat_f32_s i32.trunc_sat_f32_u
fc 02 d>i . i32.trunc_sat_f64_s i32.trunc_sat_f64_u
fc 04 f>l . i64.trunc_sat_f32_s i64.trunc_sat_f32_u
fc 06 d>l . i64.trunc_sat_f64_s i64.trunc_sat_f64_u
fc 08 iii> xz memory.init
fc 09 > x data.drop
fc 0a iii> zz memory.copy
fc 0b iii> z memory.fill
fc 0c iii> xx table.init
fc 0d > x elem.drop
fc 0e iii> xx table.copy
fc 0f ? x table.grow
fc 10 >i x table.size
fc 11 ? x table.fill
fd 00 i>v m4 v128.load
fd 01 i>v m3 v128.load8x8_s v128.load8x8_u v128.load16x4_s v128.load16x4_u v128.load32x2_s v128.load32x2_u
fd 07 i>v m0 v128.load8_splat
fd 08 i>v m1 v128.load16_splat
fd 09 i>v m2 v128.load32_splat
fd 0a i>v m3 v128.load64_splat
fd 0b iv> m4 v128.store
fd 0c >v V v128.const
fd 0d vv>v w i8x16.shuffle
fd 0e vv>v . i8x16.swizzle
fd 0f i>v . i8x16.splat i16x8.splat i32x4.splat
fd 12 l>v . i64x2.splat
fd 13 f>v . f32x4.splat
fd 14 d>v . f64x2.splat
fd 15 v>i n16 i8x16.extract_lane_s i8x16.extract_lane_u
fd 17 vi>v n16 i8x16.replace_lane
fd 18 v>i n8 i16x8.extract_lane_s i16x8.extract_lane_u
fd 1a vi>v n8 i16x8.replace_lane
fd 1b v>i n4 i32x4.extract_lane
fd 1c vi>v n4 i32x4.replace_lane
fd 1d v>l n2 i64x2.extract_lane
fd 1e vl>v n2 i64x2.replace_lane
fd 1f v>f n4 f32x4.extract_lane
fd 20 vf>v n4 f32x4.replace_lane
fd 21 v>d n2 f64x2.extract_lane
fd 22 vd>v n2 f64x2.replace_lane
fd 23 vv>v . i8x16.eq i8x16.ne i8x16.lt_s i8x16.lt_u i8x16.gt_s i8x16.gt_u i8x16.le_s i8x16.le_u i8x16.ge_s i8x16.ge_u
fd 2d vv>v . i16x8.eq i16x8.ne i16x8.lt_s i16x8.lt_u i16x8.gt_s i16x8.gt_u i16x8.le_s i16x8.le_u i16x8.ge_s i16x8.ge_u
fd 37 vv>v . i32x4.eq i32x4.ne i32x4.lt_s i32x4.lt_u i32x4.gt_s i32x4.gt_u i32x4.le_s i32x4.le_u i32x4.ge_s i32x4.ge_u
fd 41 vv>v . f32x4.eq f32x4.ne f32x4.lt f32x4.gt f32x4.le f32x4.ge f64x2.eq f64x2.ne f64x2.lt f64x2.gt f64x2.le f64x2.ge
fd 4d v>v . v128.not
fd 4e vv>v . v128.and v128.andnot v128.or v128.xor
fd 52 vvv>v . v128.bitselect
fd 53 v>i . v128.any_true
fd 54 iv>v m0n16 v128.load8_lane
fd 55 iv>v m1n8 v128.load16_lane
fd 56 iv>v m2n4 v128.load32_lane
fd 57 iv>v m3n2 v128.load64_lane
fd 58 iv> m0n16 v128.store8_lane
fd 59 iv> m1n8 v128.store16_lane
fd 5a iv> m2n4 v128.store32_lane
fd 5b iv> m3n2 v128.store64_lane
fd 5c i>v m2 v128.load32_zero
fd 5d i>v m3 v128.load64_zero
fd 5e v>v . f32x4.demote_f64x2_zero f64x2.promote_low_f32x4
fd 60 v>v . i8x16.abs i8x16.neg i8x16.popcnt
fd 63 v>i . i8x16.all_true i8x16.bitmask
fd 65 vv>v . i8x16.narrow_i16x8_s i8x16.narrow_i16x8_u
fd 67 v>v . f32x4.ceil f32x4.floor f32x4.trunc f32x4.nearest
fd 6b vi>v . i8x16.shl i8x16.shr_s i8x16.shr_u
fd 6e vv>v . i8x16.add i8x16.add_sat_s i8x16.add_sat_u i8x16.sub i8x16.sub_sat_s i8x16.sub_sat_u
fd 74 v>v . f64x2.ceil f64x2.floor
fd 76 vv>v . i8x16.min_s i8x16.min_u i8x16.max_s i8x16.max_u
fd 7a v>v . f64x2.trunc
fd 7b vv>v . i8x16.avgr_u
fd 7c v>v . i16x8.extadd_pairwise_i8x16_s i16x8.extadd_pairwise_i8x16_u i32x4.extadd_pairwise_i16x8_s i32x4.extadd_pairwise_i16x8_u
fd 80 v>v . i16x8.abs i16x8.neg
fd 82 vv>v . i16x8.q15mulr_sat_s
fd 83 v>i . i16x8.all_true i16x8.bitmask
fd 85 vv>v . i16x8.narrow_i32x4_s i16x8.narrow_i32x4_u
fd 87 v>v . i16x8.extend_low_i8x16_s i16x8.extend_high_i8x16_s i16x8.extend_low_i8x16_u i16x8.extend_high_i8x16_u
fd 8b vi>v . i16x8.shl i16x8.shr_s i16x8.shr_u
fd 8e vv>v . i16x8.add i16x8.add_sat_s i16x8.add_sat_u i16x8.sub i16x8.sub_sat_s i16x8.sub_sat_u
fd 94 v>v . f64x2.nearest
fd 95 vv>v . i16x8.mul i16x8.min_s i16x8.min_u i16x8.max_s i16x8.max_u - i16x8.avgr_u i16x8.extmul_low_i8x16_s i16x8.extmul_high_i8x16_s i16x8.extmul_low_i8x16_u i16x8.extmul_high_i8x16_u
fd a0 v>v . i32x4.abs i32x4.neg
fd a3 v>i . i32x4.all_true i32x4.bitmask
fd a7 v>v . i32x4.extend_low_i16x8_s i32x4.extend_high_i16x8_s i32x4.extend_low_i16x8_u i32x4.extend_high_i16x8_u
fd ab vi>v . i32x4.shl i32x4.shr_s i32x4.shr_u
fd ae vv>v . i32x4.add - - i32x4.sub - - - i32x4.mul i32x4.min_s i32x4.min_u i32x4.max_s i32x4.max_u i32x4.dot_i16x8_s - i32x4.extmul_low_i16x8_s i32x4.extmul_high_i16x8_s i32x4.extmul_low_i16x8_u i32x4.extmul_high_i16x8_u
fd c0 v>v . i64x2.abs i64x2.neg
fd c3 v>i . i64x2.all_true i64x2.bitmask
fd c7 v>v . i64x2.extend_low_i32x4_s i64x2.extend_high_i32x4_s i64x2.extend_low_i32x4_u i64x2.extend_high_i32x4_u
fd cb vi>v . i64x2.shl i64x2.shr_s i64x2.shr_u
fd ce vv>v . i64x2.add - - i64x2.sub - - - i64x2.mul i64x2.eq i64x2.ne i64x2.lt_s i64x2.gt_s i64x2.le_s i64x2.ge_s i64x2.extmul_low_i32x4_s i64x2.extmul_high_i32x4_s i64x2.extmul_low_i32x4_u i64x2.extmul_high_i32x4_u
fd e0 v>v . f32x4.abs f32x4.neg - f32x4.sqrt
fd e4 vv>v . f32x4.add f32x4.sub f32x4.mul f32x4.div f32x4.min f32x4.max f32x4.pmin f32x4.pmax
fd ec v>v . f64x2.abs f64x2.neg - f64x2.sqrt
fd f0 vv>v . f64x2.add f64x2.sub f64x2.mul f64x2.div f64x2.min f64x2.max f64x2.pmin f64x2.pmax
fd f8 v>v . i32x4.trunc_sat_f32x4_s i32x4.trunc_sat_f32x4_u f32x4.convert_i32x4_s f32x4.convert_i32x4_u i32x4.trunc_sat_f64x2_s_zero i32x4.trunc_sat_f64x2_u_zero f64x2.convert_low_i32x4_s f64x2.convert_low_i32x4_u
`

// Instrs are all instructions, in the order of their opcodes.
var Instrs = parseTable(table)

// byName finds an instruction of Instrs.
var byName = func() map[string]*Instr {
	names := make(map[string]*Instr, len(Instrs))
	for i := range Instrs {
		names[Instrs[i].Name] = &Instrs[i]
	}
	return names
}()

func parseTable(table string) []Instr {
	var all []Instr
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		var one Instr
		must(fmt.Sscanf(fields[0], "%x", &one.Prefix))
		must(fmt.Sscanf(fields[1], "%x", &one.Code))
		if params, results, fixed := strings.Cut(fields[2], ">"); fixed {
			one.Params, one.Results, one.Fixed = types(params), types(results), true
		}
		one.immediates(strings.TrimPrefix(fields[3], "."))
		for _, name := range fields[4:] {
			if name != "-" {
				one.Name = name
				all = append(all, one)
			}
			one.Code++
		}
	}
	return all
}

// immediates takes the numbers out of the letters of a table line.
func (in *Instr) immediates(imm string) {
	if rest, ok := strings.CutPrefix(imm, "m"); ok {
		in.Imm, imm = "m", rest[1:]
		must(fmt.Sscanf(rest[:1], "%d", &in.Natural))
	}
	if rest, ok := strings.CutPrefix(imm, "n"); ok {
		in.Imm, imm = in.Imm+"n", ""
		must(fmt.Sscanf(rest, "%d", &in.Lanes))
	}
	in.Imm += imm
}

func types(s string) []ValType {
	var all []ValType
	for i := range len(s) {
		all = append(all, letters[s[i]])
	}
	return all
}

func must(_ int, err error) {
	if err != nil {
		panic(err)
	}
}
