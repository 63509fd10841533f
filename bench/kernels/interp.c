// An interpreter for a small stack machine, which runs a sieve.
#include "kernel.h"

enum {
	PUSH, POP, DUP, SWAP, LOAD, STORE, GET, SET, ADD, SUB, MUL, DIV, MOD, AND, OR, XOR, SHL, SHR,
	LT, LE, EQ, NE, NOT, NEG, JUMP, JUMP_IF, JUMP_UNLESS, CALL, RETURN, INC, DEC, HALT,
};

enum { MEMORY = 8192 };

static i32 memory[MEMORY], code[256];
static int length;

static void op(i32 word) { code[length++] = word; }
static void op1(i32 word, i32 operand) { op(word), op(operand); }
static int jump(i32 word) { op1(word, 0); return length - 1; }
static void land(int hole) { code[hole] = length; }

// assemble: register 0 is the limit, 1 the candidate, 2 a multiple, 3 the sum.
static void assemble(void) {
	length = 0;
	op1(PUSH, 2), op1(SET, 1);
	int outer = length;
	op1(GET, 1), op1(GET, 0), op(LT);
	int done = jump(JUMP_UNLESS);
	op1(GET, 1), op(LOAD);
	int composite = jump(JUMP_IF);
	op1(GET, 1), op1(GET, 3), op1(PUSH, 31), op(MUL), op(ADD), op1(SET, 3);
	op1(GET, 1), op(DUP), op(MUL), op1(SET, 2);
	int inner = length;
	op1(GET, 2), op1(GET, 0), op(LT);
	int next = jump(JUMP_UNLESS);
	op1(PUSH, 1), op1(GET, 2), op(STORE);
	op1(GET, 2), op1(GET, 1), op(ADD), op1(SET, 2);
	op1(JUMP, inner);
	land(composite), land(next);
	op1(GET, 1), op(INC), op1(SET, 1);
	op1(JUMP, outer);
	land(done);
	op1(GET, 3), op(HALT);
}

static i32 interpret(i32 limit) {
	i32 stack[64], registers[8] = {limit}, calls[16];
	i32 *sp = stack, *rp = calls;
	const i32 *pc = code;
	for (;;) {
		i32 t;
		switch (*pc++) {
		case PUSH: *sp++ = *pc++; break;
		case POP: sp--; break;
		case DUP: sp[0] = sp[-1], sp++; break;
		case SWAP: t = sp[-1], sp[-1] = sp[-2], sp[-2] = t; break;
		case LOAD: sp[-1] = memory[sp[-1] & (MEMORY - 1)]; break;
		case STORE: memory[sp[-1] & (MEMORY - 1)] = sp[-2], sp -= 2; break;
		case GET: *sp++ = registers[*pc++ & 7]; break;
		case SET: registers[*pc++ & 7] = *--sp; break;
		case ADD: sp--, sp[-1] = (i32)((u32)sp[-1] + (u32)sp[0]); break;
		case SUB: sp--, sp[-1] = (i32)((u32)sp[-1] - (u32)sp[0]); break;
		case MUL: sp--, sp[-1] = (i32)((u32)sp[-1] * (u32)sp[0]); break;
		case DIV: sp--, sp[-1] /= sp[0] | 1; break;
		case MOD: sp--, sp[-1] %= sp[0] | 1; break;
		case AND: sp--, sp[-1] &= sp[0]; break;
		case OR: sp--, sp[-1] |= sp[0]; break;
		case XOR: sp--, sp[-1] ^= sp[0]; break;
		case SHL: sp--, sp[-1] = (i32)((u32)sp[-1] << (sp[0] & 31)); break;
		case SHR: sp--, sp[-1] = (i32)((u32)sp[-1] >> (sp[0] & 31)); break;
		case LT: sp--, sp[-1] = sp[-1] < sp[0]; break;
		case LE: sp--, sp[-1] = sp[-1] <= sp[0]; break;
		case EQ: sp--, sp[-1] = sp[-1] == sp[0]; break;
		case NE: sp--, sp[-1] = sp[-1] != sp[0]; break;
		case NOT: sp[-1] = !sp[-1]; break;
		case NEG: sp[-1] = (i32)(0 - (u32)sp[-1]); break;
		case JUMP: pc = code + *pc; break;
		case JUMP_IF: pc = *--sp ? code + *pc : pc + 1; break;
		case JUMP_UNLESS: pc = *--sp ? pc + 1 : code + *pc; break;
		case CALL: *rp++ = (i32)(pc + 1 - code), pc = code + *pc; break;
		case RETURN: pc = code + *--rp; break;
		case INC: sp[-1]++; break;
		case DEC: sp[-1]--; break;
		default: return sp[-1];
		}
	}
}

i64 run(i64 n) {
	u64 sum = 0;
	assemble();
	for (i64 round = 0; round < n; round++) {
		for (int i = 0; i < MEMORY; i++)
			memory[i] = 0;
		sum = mix(sum, (u32)interpret(5000 + (i32)(round % 1000)));
	}
	return (i64)sum;
}
