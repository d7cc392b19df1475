//! Sources for genksyms: preprocessed C, and what isn't C to it.

/// What most sources begin with.
pub const HEADER: &str = "# 1 \"a.c\"\n# 1 \"a.h\" 1\ntypedef unsigned int u32;\ntypedef struct list { struct list *next; } list_t;\n\
                      enum colour { RED, GREEN = 5, BLUE };\nstruct s { int a; };\nunion u { int a; long b; };\n";

/// Names, and sources in which `x` and other symbols are declared.
pub const SOURCES: &[(&str, &str)] = &[
    ("objects", "int x; extern int y; static int z; u32 a, *b, c[3];"),
    ("initializers", "int x = 1, y = (1, 2), z[] = { 1, { 2 }, 3 }; struct s a = { .a = 1 }; char b[] = \";}\";"),
    ("functions", "int x(void); int y(int, char *, ...); static inline int z(int a) { return a; } void a() { }"),
    (
        "parameters",
        "int x(int a, u32 b, const char *restrict c, struct s *d, int e[3], int (*f)(int), int g(int), u32);",
    ),
    ("a parameter with a type's name", "int x(int u32, u32 list_t, u32 u32);"),
    (
        "declarators in parentheses",
        "int (x); int (*y); int (*z)(int); int (*(*a)(int))(long); int (*b[3])(void); int *(c)(void);",
    ),
    (
        "pointers and qualifiers",
        "const int *const volatile *x; int const y; volatile int *restrict z; const volatile int *a;",
    ),
    (
        "storage classes",
        "extern int x; static int y; register int z; auto int a; inline int b(void); extern inline int c(void);",
    ),
    ("storage classes last", "int extern x; int static y; const extern int z;"),
    (
        "built-in types",
        "char x; short y; long long z; signed a; unsigned b; float c; double d; _Bool e; __builtin_va_list f; __int128 g; __uint128_t h;",
    ),
    (
        "keywords in underscores",
        "__const int x; __const__ int y; __volatile int z; __volatile__ int a; __signed b; __signed__ c; __inline int d(void); __inline__ int e(void); int *__restrict f; int *__restrict__ g;",
    ),
    ("vector types", "int8x16_t x; uint32x2_t y; int64x1_t z(uint16x8_t a); int8x3_t b;"),
    ("segments", "__seg_gs int x; int __seg_fs *y; int *__seg_gs z; const __seg_gs int a;"),
    (
        "typedefs",
        "typedef int t; t x; typedef t *p; p y; typedef int f(int), *q; f z; typedef struct { int a; } n; n a;",
    ),
    ("__extension__", "__extension__ typedef int t; t x; __extension__ int y;"),
    (
        "structures",
        "struct s x; struct new { int a; struct s b; } y; struct { int a; } z; struct unknown *a; struct new b;",
    ),
    ("a structure that is defined later", "struct later *x; struct later { int a; }; struct later *y;"),
    ("a structure in itself", "struct self { struct self *next; struct s a; } x;"),
    (
        "two structures in each other",
        "struct one { struct two *b; }; struct two { struct one *a; }; struct one x; struct two y;",
    ),
    (
        "members",
        "struct m { int a, *b, c[3]; int d : 3; int : 4, e : 5; int (*f)(int); struct s g; union { int h; long i; }; u32 u32; int (j); } x;",
    ),
    ("no members", "struct m { } x; union n { } y; struct p { ; } z;"),
    ("unions", "union u x; union v { int a; char b; } y; union { int a; } z; union unknown *a;"),
    (
        "enumerations",
        "enum colour x; enum e { A, B, C = 7, D, E = A + 1, F, } y; enum { G, H } z; enum unknown a; enum colour b;",
    ),
    (
        "enumerators in constants",
        "int x[BLUE]; struct m { int a[GREEN]; int b : RED; } y; enum { NEXT = BLUE, LAST }; int z[LAST];",
    ),
    ("enumerators of several enumerations", "enum { A, B }; enum { C, D }; int x[A], y[B], z[C], a[D];"),
    ("an enumerator without value after one with none", "enum { A = , B }; int x[A], y[B];"),
    ("an enumerator that is a member", "struct m { int RED; int GREEN; } x;"),
    (
        "typeof",
        "typeof(int) x; typeof(x) y; __typeof__(u32 *) z; __typeof(x + 1) a; typeof(*(y)) b; typeof((x)) c; typeof(struct s) d;",
    ),
    ("typeof of a parameter", "int x(typeof(u32) a, typeof(x) b); typeof(const u32) y; typeof(int (*)(int)) z;"),
    ("typeof_unqual", "typeof_unqual(int) x; __typeof_unqual__(u32) y; __typeof_unqual(x) z;"),
    ("typeof alone", "typeof x; typeof () y; typeof ( ( u32 ) ) z;"),
    (
        "attributes after declarators",
        "int x __attribute__((a)); int y(void) __attribute__((b)) __attribute__((c)); int z __attribute__((d)) = 1, a __attribute__((e));",
    ),
    (
        "attributes before declarators",
        "int __attribute__((a)) x; __attribute__((b)) int y; int *__attribute__((c)) z; int a, __attribute__((d)) b;",
    ),
    (
        "attributes in parentheses",
        "int (__attribute__((a)) *x)(int); int (__attribute__((b)) y); int z(int (__attribute__((c)) *a)(void));",
    ),
    (
        "attributes of structures",
        "struct __attribute__((a)) m { int b; } x; struct n { int b; } __attribute__((c)) y; union __attribute__((d)) { int e; } z; struct __attribute__((f)) s a;",
    ),
    (
        "two attributes of a structure",
        "struct __attribute__((a)) __attribute__((b)) m { int c; } x; struct __attribute__((a)) __attribute__((b)) { int c; } y;",
    ),
    (
        "attributes of an enumeration",
        "enum __attribute__((a)) e { A } x; enum f { B __attribute__((b)), C } y; enum g { D } __attribute__((c)) z;",
    ),
    (
        "attributes of members",
        "struct m { int a __attribute__((b)); __attribute__((c)) int d; int e : 3 __attribute__((f)); int g __attribute__((h)), i; int (__attribute__((j)) *k)(void); } x;",
    ),
    (
        "attributes of parameters",
        "int x(int a __attribute__((b)), __attribute__((c)) int d, int __attribute__((e)), int *__attribute__((f)) g);",
    ),
    (
        "attributes of abstract declarators",
        "int x(int (*)(int) __attribute__((a)), int (__attribute__((b)) *)(int), int [3] __attribute__((c)));",
    ),
    (
        "attributes of functions",
        "__attribute__((a)) int x(void) { } int __attribute__((b)) y(void) { } static __attribute__((c)) inline void z(void) { }",
    ),
    ("attributes alone", "__attribute__((a)); int x;"),
    ("attribute without parentheses", "int x __attribute__; int y;"),
    (
        "abstract declarators",
        "int x(int *, int [3], int (*)(int), int (*)[3], int (*(*)(int))(long), int (), u32 (u32), u32 ());",
    ),
    ("asm", "asm(\"a\"); asm(\"(\"); int x asm(\"b\"); int y __asm__(\"c\") __attribute__((d)); __asm int z;"),
    ("static assertions", "_Static_assert(1, \"a\"); int x; _Static_assert(sizeof(int) == 4, \"(\"); int y;"),
    ("static assertion in a structure", "struct m { int a; _Static_assert(1, \"a\"); int b; } x; int y;"),
    ("braces in functions", "int x(void) { if (1) { '}'; \"}\"; } } int y;"),
    ("preprocessor lines in functions", "int x(void) {\n#pragma }\n# 7 \"b.h\"\n}\nint y = ;"),
    ("a function in a function", "int x(void) { int y(void) { return 1; } return y(); } int z;"),
    ("a function in a structure", "struct m { int a; int b(void) { return RED; } int c; } x; int y;"),
    ("an expression in braces", "int x[({ int RED; 3; })]; int y = ({ 1; }), z;"),
    ("braces between parentheses", "int x(({ RED, { a } })); int y;"),
    ("specifiers of several declarators", "const struct s *x, y, **z; u32 *a, b; u32 c(char b), d, e;"),
    ("redefinitions", "int x; long x; struct s { long a; }; enum { RED }; typedef long u32; int y;"),
    ("the same again", "int y; int y; struct s { int a; }; typedef unsigned int u32; u32 x;"),
    ("a name in both spaces", "struct x { int a; }; int x; enum y { Y }; struct y z;"),
    ("two names in a declarator", "int x y; int z a, b; int (c d);"),
    ("no name", "int; struct s; u32; ; const; int *;"),
    ("no type", "x; y(int); z = 3; *a; static b; extern c(void);"),
    ("syntax errors", "int x int; int y) ; int z( ; int a[3; int b]; int c = ; int d"),
    ("errors in structures", "struct m { int a b; 3; int c; } x; struct n { int (; } y; struct p { } } z;"),
    ("errors in parameters", "int x(int 3, char); int y(+); int z(int a b); int a(int (+)); int b(int, , int);"),
    ("errors in declarators", "int (3) x; int (+)(int) y; int *3; int z(int)(int); int a[3](int);"),
    ("an error in a member's declarator", "struct m { int (3) a; int (+); int b; } x;"),
    ("errors in enumerations", "enum { A B } x; enum { , } y; enum { 3 } z; enum e { } a;"),
    ("an error up to a brace", "3 { int x; } int y; }"),
    ("errors one after another", "3; 4; int x; 5; int y; int z; int a; 6;"),
    ("closing braces", "} } int x; } int y;"),
    ("K&R", "int x(a, b) int a; char b; { } int y;"),
    ("labels and casts", "int x = (u32)3; int y[(u32)3]; u32 (z); u32 (*a);"),
    (
        "a type shadowed",
        "void x(void); struct m { u32 list_t; list_t u32; } y; int z(list_t list_t); u32 list_t; list_t a;",
    ),
    ("numbers", "int x[0x1fUL + 08 + 1.5e3f + .5 + 1e5 + 1ULL + 1.]; int y[...]; int z[1..2];"),
    ("operators", "int x[a->b + c == d != e <<= f && g || h ++ i -- j >> k]; int y[~=%=^=&=*=+=|=<=>=/=-=];"),
    ("strings", "int x[\"a\\\"b\" L\"c\" 'd' '\\'' L'e' \"f\ng\"]; int y = \"\\\\\";"),
    ("a string that doesn't end", "int x = \"a; int y;\nint z;"),
    ("a string that a backslash continues", "int x = \"a\\\nb\"; int y;"),
    ("a character that doesn't end", "int x = 'a; int y;\nint z;"),
    (
        "line markers",
        "# 10 \"b.h\" 1\nint x = ;\n# 020 \"c.h\"\nint y = ;\n#line 3 \"d.h\"\nint z = ;\n# 5 e.h\nint a = ;\n#  0x10  \"f.h\" 2 3\nint b = ;\n",
    ),
    ("a line marker without name", "# 10 \"\"\nint x = ; 3;\n# 10\n3;\n"),
    ("a large line number", "# 99999999999999999999 \"b.h\"\n3;\n# 4294967297 \"c.h\"\n3; 3;\n"),
    ("a line marker within a line", "int x; # 10 \"b.h\"\n3;"),
    ("a line marker last", "3;\n# 10 \"b.h\""),
    ("#pragma", "#pragma once\n  #pragma x\nint x;"),
    (
        "structures of the source itself",
        "# 3 \"a.c\"\nstruct mine { int a; }; struct mine *x; enum own { OWN }; enum own y; union its { int a; } z; struct mine a;\n# 9 \"a.h\"\nstruct mine b;",
    ),
    ("bytes that aren't ASCII", "int \u{e9}; int x;"),
    ("a byte that isn't ASCII in a function", "int x(void) { \u{e9} } int y;"),
    ("a dollar in a name", "int $x; int x$y; __GENKSYMS_EXPORT_SYMBOL($x);"),
    ("a backslash", "int x; \\ int y; \\\nint z;"),
    ("at signs", "int x; @ int y;"),
    ("blanks", "int\tx\x0b;\x0cint\r\ny;"),
    ("a NUL", "int x;\0int y;"),
    ("a NUL in a string", "int x[\"a\0b\"]; int y;"),
    ("a NUL in a function", "int x; int y(void) { \0 } int z;"),
    ("unclosed braces", "int x; int y(void) { {"),
    ("unclosed parentheses", "int x; int y("),
    ("unclosed structure", "int x; struct m { int a;"),
    ("unclosed attribute", "int x; int y __attribute__((a"),
    ("unclosed initializer", "int x; int y = { 1"),
    ("unclosed bracket", "int x; int y[3"),
    ("unclosed typeof", "int x; typeof(a"),
    ("an export without parenthesis", "int x; __GENKSYMS_EXPORT_SYMBOL x; int y;"),
    (
        "exports",
        "int x; __GENKSYMS_EXPORT_SYMBOL(x); __GENKSYMS_EXPORT_SYMBOL(x) __GENKSYMS_EXPORT_SYMBOL(nothing); __GENKSYMS_EXPORT_SYMBOL(u32);",
    ),
    ("an export before its declaration", "__GENKSYMS_EXPORT_SYMBOL(x); int x;"),
    (
        "an export of a type and of an enumerator",
        "__GENKSYMS_EXPORT_SYMBOL(list_t); __GENKSYMS_EXPORT_SYMBOL(BLUE); __GENKSYMS_EXPORT_SYMBOL(s);",
    ),
];

/// Names, references, and sources after the header.
pub const REFERENCES: &[(&str, &str, &str)] = &[
    ("the same", "s#s struct s { int a ; } \nx extern s#s x \n", "extern struct s x;"),
    ("another member", "s#s struct s { long a ; } \nx s#s x \n", "struct s x; struct s *y;"),
    ("became defined", "s#s struct s { UNKNOWN } \nx s#s x \n", "struct s x;"),
    ("became unknown", "s#gone struct gone { int a ; } \nx s#gone * x \n", "struct gone *x;"),
    (
        "several changes",
        "s#s struct s { long a ; } \nt#u32 typedef int u32 \ne#colour enum colour { RED } \nx int x \n",
        "struct m { struct s a; u32 b; enum colour c; } x;",
    ),
    ("override, unchanged", "override s#s struct s { int a ; } \noverride x s#s x \n", "struct s x;"),
    ("override, changed", "override s#s struct s { long a ; } \noverride x int x \n", "struct s x; int y;"),
    (
        "enumerators",
        "E#A 3 \nE#B \nE#RED 7 \ne#colour enum colour { E#RED , E#GREEN } \n",
        "enum { C, D }; int x[C], y[D];",
    ),
    ("an enumeration after enumerators", "E#A 3 \ne#e enum e { E#A } \n", "enum { C, D }; int x[C];"),
    ("twice", "x int x \nx long x \n", "int x; long y;"),
    ("nothing", "", "int x;"),
    (
        "blank lines and words",
        "\n \n  x   int  x  \n\ny \noverride\nextern\nx extern\noverride override x\n",
        "int x; int y;",
    ),
    ("strings", "x int \"a b\" x \ny \"a b int\n", "int x; int y;"),
    ("no last newline", "x int x", "int x;"),
    (
        "a long word",
        "x int aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa x \n",
        "int x;",
    ),
    ("an unknown letter", "x q#s x \n", "int x;"),
    ("a number sign", "x # a# #b s# x \n", "int x;"),
    ("a type without name", "t# int x \nx t# x \n", "int x;"),
];

/// Exports of all symbols that the sources declare.
#[must_use]
pub fn exports() -> String {
    let names = ["x", "y", "z", "a", "b", "c", "d", "e", "f", "g", "h"];
    names.map(|name| format!("__GENKSYMS_EXPORT_SYMBOL({name});\n")).concat()
}
