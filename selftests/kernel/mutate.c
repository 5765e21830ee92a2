// SPDX-License-Identifier: GPL-2.0
/*
 * mutate TREE FUNCTIONS NOT-CALLS: put every mutant into a copy of the kernel's
 * sources, to be chosen while it runs (mutants.h), and print what they are.
 *
 * In the listed functions these are sites:
 *	condition   of if, while, do, for and ?:, each operand of && and ||, and
 *	            what a bool is set to: negated, forced true, forced false
 *	call        that is a statement, or of a function with a "value" in the
 *	            list NOT-CALLS: left out (unless the list says it is a lock,
 *	            memory, an assertion)
 *	assignment  to a member, or to a variable that had a value: left out
 * Numbered by function and kind, in the order of the source. An operand that is
 * false makes an && false, so that this is one mutant, not two; the same for ||.
 *
 * TREE is configured and the files are compiled in it: how, is taken from there.
 *
 * One line each, separated by tabs: number, site, operation (mutants.h), file,
 * line, function, kind, n-th, name of what is called or assigned, or -.
 */
#include <clang-c/Index.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wordexp.h>

/* To be raised with every change of what is made: kernels are kept by it. */
#define MUTATIONS 1

#define MAX_SITES    4096
#define MAX_CHILDREN 512
#define MAX_MACROS   65536

enum kind { CONDITION, CALL, VALUE, ASSIGNMENT };
enum { NEGATED = 1, TRUE, FALSE, LEFT_OUT, OPERATIONS };

static const char *const kind_name[] = { "condition", "call", "call",
					 "assignment" };
static const char *const wrapper[] = { "UNDEAD_IF", "UNDEAD_DO", "UNDEAD_VALUE",
				       "UNDEAD_DO" };

struct range {
	unsigned int start, end;
};

static struct site {
	struct range range;
	enum kind kind;
	unsigned int number, line, nth, operations; /* 1 << operation */
	char function[64], name[64];
} sites[MAX_SITES];
static int nr_sites, first_site; /* of the file at work */

static char *functions[256], *not_calls[512];
static char values[1024]; /* " name name " */

/* The file at work. */
static const char *path;
static char *text;
static size_t text_size;
static struct range macros[MAX_MACROS];
static int nr_macros;
static const char *function;

static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("mutate: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(125);
}

/* --- places in the text -------------------------------------------------- */

static bool in_file(CXCursor c)
{
	CXFile file;
	CXString name;
	bool is;

	clang_getFileLocation(clang_getRangeStart(clang_getCursorExtent(c)),
			      &file, NULL, NULL, NULL);
	name = clang_getFileName(file);
	is = clang_getCString(name) && !strcmp(clang_getCString(name), path);
	clang_disposeString(name);
	return is;
}

/* Past the parenthesis that closes the one at @i. */
static unsigned int closing(unsigned int i)
{
	int depth = 0;

	do
		depth += (text[i] == '(') - (text[i] == ')');
	while (text[i++] && depth);
	return i;
}

static bool in_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* For clang what ends in a macro within a macro ends before it. */
static unsigned int real_end(struct range r)
{
	unsigned int i = r.end;
	char last = text[i - 1];

	if (r.end <= r.start || in_name(last) || strchr(")]}\"'", last) ||
	    (strchr("+-", last) && text[i - 2] == last))
		return i;
	while (in_name(text[i]))
		i++;
	return text[i] == '(' ? closing(i) : i;
}

/* A macro's argument is where it is written, its body where it is used. */
static struct range range_of(CXCursor c)
{
	CXSourceRange extent = clang_getCursorExtent(c);
	struct range r;

	clang_getFileLocation(clang_getRangeStart(extent), NULL, NULL, NULL,
			      &r.start);
	clang_getFileLocation(clang_getRangeEnd(extent), NULL, NULL, NULL,
			      &r.end);
	r.end = real_end(r);
	return r;
}

static bool within(struct range part, struct range whole)
{
	return whole.start <= part.start && part.end <= whole.end;
}

static bool starts_with(struct range r, const char *word)
{
	size_t n = strlen(word);

	return r.end - r.start > n && !strncmp(text + r.start, word, n) &&
	       !in_name(text[r.start + n]);
}

/* A hint to the compiler, which is looked through. */
static bool hint(struct range r)
{
	return (starts_with(r, "likely") || starts_with(r, "unlikely")) &&
	       closing(r.start + strcspn(text + r.start, "(")) == r.end;
}

/* Written in a macro's argument, or made by its body (opaque), or neither. */
enum origin { PLAIN, ARGUMENT, OPAQUE };

static enum origin origin(struct range r)
{
	enum origin o = PLAIN;

	for (int i = 0; i < nr_macros; i++) {
		const struct range *m = &macros[i];

		if (r.start == m->start && r.end == m->end)
			return hint(r) ? PLAIN : OPAQUE;
		if (within(r, *m) && !hint(*m))
			o = ARGUMENT;
	}
	return o;
}

static unsigned int line_of(unsigned int offset)
{
	unsigned int line = 1;

	for (unsigned int i = 0; i < offset; i++)
		line += text[i] == '\n';
	return line;
}

/* What stands between two expressions. */
static bool between(struct range a, struct range b, const char *operator)
{
	const char *at = text + a.end;
	size_t n = strlen(operator);

	while (at < text + b.start &&
	       (isspace((unsigned char)*at) || *at == ')'))
		at++;
	return at + n <= text + b.start && !strncmp(at, operator, n) &&
	       at[n] != '=';
}

static bool assigns(struct range a, struct range b)
{
	const char *at = text + a.end;

	while (at < text + b.start &&
	       (isspace((unsigned char)*at) || *at == ')'))
		at++;
	return *at == '=' && at[1] != '=';
}

/* --- sites --------------------------------------------------------------- */

static struct site *add(CXCursor c, enum kind kind, const char *name)
{
	struct range r = range_of(c);
	struct site *s = &sites[nr_sites];

	if (r.end <= r.start || r.end > text_size || !in_file(c))
		return NULL;
	/* A directive in what becomes an argument of a macro. */
	for (unsigned int i = r.start; i < r.end; i++)
		if (text[i] == '\n' && text[i + 1] == '#')
			return NULL;
	for (int i = first_site; i < nr_sites; i++)
		if (sites[i].range.start == r.start &&
		    sites[i].range.end == r.end &&
		    (sites[i].kind == kind ||
		     (kind == VALUE && sites[i].kind == CALL)))
			return NULL;
	if (nr_sites == MAX_SITES - 1)
		die("more than %d sites", MAX_SITES);
	nr_sites++;
	s->range = r;
	s->kind = kind;
	s->line = line_of(r.start);
	snprintf(s->function, sizeof(s->function), "%s", function);
	snprintf(s->name, sizeof(s->name), "%s", name);
	return s;
}

static bool constant(CXCursor c)
{
	CXEvalResult r = clang_Cursor_Evaluate(c);
	bool known = r && clang_EvalResult_getKind(r) == CXEval_Int;

	if (r)
		clang_EvalResult_dispose(r);
	return known;
}

struct children {
	CXCursor c[MAX_CHILDREN];
	int n;
};

static enum CXChildVisitResult collect(CXCursor c, CXCursor parent,
				       CXClientData data)
{
	struct children *all = data;

	(void)parent;
	if (all->n == MAX_CHILDREN)
		die("%s: a statement with too many parts", path);
	all->c[all->n++] = c;
	return CXChildVisit_Continue;
}

static struct children *children_of(CXCursor c)
{
	struct children *all = calloc(1, sizeof(*all));

	clang_visitChildren(c, collect, all);
	return all;
}

/* What is written as the argument of a hint. */
static enum CXChildVisitResult find_argument(CXCursor c, CXCursor parent,
					     CXClientData data)
{
	CXCursor *found = data;
	struct range r = range_of(c), whole = range_of(*found);

	(void)parent;
	if (!within(r, whole) || r.start == whole.start)
		return CXChildVisit_Recurse;
	*found = c;
	return CXChildVisit_Break;
}

/* Past what clang adds, and parentheses and hints around it. */
static CXCursor inner(CXCursor c)
{
	for (;;) {
		enum CXCursorKind kind = clang_getCursorKind(c);
		struct range r = range_of(c);
		struct children *all;

		if (origin(r) == PLAIN && hint(r)) {
			CXCursor argument = c;

			clang_visitChildren(c, find_argument, &argument);
			if (clang_equalCursors(argument, c))
				return c;
			c = argument;
			continue;
		}
		if (origin(r) == OPAQUE || (kind != CXCursor_ParenExpr &&
					    kind != CXCursor_UnexposedExpr))
			return c;
		all = children_of(c);
		if (all->n == 1)
			c = all->c[0];
		kind = all->n;
		free(all);
		if (kind != 1)
			return c;
	}
}

static void condition(CXCursor c, bool may_be_true, bool may_be_false)
{
	struct site *s;
	struct children *all;
	CXCursor e = inner(c);

	if (constant(c) || origin(range_of(c)) == ARGUMENT)
		return;
	s = add(e, CONDITION, "-");
	if (s)
		s->operations = 1 << NEGATED | (may_be_true << TRUE) |
				(may_be_false << FALSE);
	if (clang_getCursorKind(e) != CXCursor_BinaryOperator ||
	    origin(range_of(e)) == OPAQUE)
		return;
	all = children_of(e);
	if (all->n == 2) {
		struct range a = range_of(all->c[0]), b = range_of(all->c[1]);
		bool and = between(a, b, "&&");

		for (int i = 0; i < 2 && (and || between(a, b, "||")); i++)
			condition(all->c[i], and, !and);
	}
	free(all);
}

static bool is_bool(CXType type)
{
	return clang_getCanonicalType(type).kind == CXType_Bool;
}

static bool listed(char *const *list, const char *name)
{
	for (; *list; list++)
		if (!strcmp(*list, name))
			return true;
	return false;
}

/* The name that a call or an assignment goes by, "" if it has none. */
static void name_of(CXCursor c, char *name, size_t size)
{
	CXString s = clang_getCursorSpelling(c);

	snprintf(name, size, "%s", clang_getCString(s));
	clang_disposeString(s);
}

/* A local variable that nothing was assigned to yet cannot go without. */
static bool had_value(CXCursor c)
{
	CXCursor v = clang_getCursorReferenced(c);

	if (clang_getCursorKind(v) != CXCursor_VarDecl)
		return clang_getCursorKind(v) == CXCursor_ParmDecl;
	return !clang_Cursor_isNull(clang_Cursor_getVarDeclInitializer(v));
}

static void left_out(CXCursor c, enum kind kind, const char *name)
{
	struct site *s;

	if (kind != ASSIGNMENT && (!*name || listed(not_calls, name)))
		return;
	s = add(c, kind, name);
	if (s)
		s->operations = 1 << LEFT_OUT;
}

static void assignment(CXCursor c, CXCursor e)
{
	struct children *all = children_of(e);
	char name[64];

	if (all->n) {
		CXCursor to = inner(all->c[0]);

		name_of(to, name, sizeof(name));
		if (clang_getCursorKind(to) == CXCursor_MemberRefExpr ||
		    (clang_getCursorKind(to) == CXCursor_DeclRefExpr &&
		     had_value(to)))
			left_out(c, ASSIGNMENT, name);
	}
	free(all);
}

/* A part that is a statement in its own right. */
static void statement(CXCursor c)
{
	char name[64] = "";
	CXCursor e = inner(c);
	struct range r = range_of(e);

	if (origin(range_of(c)) == ARGUMENT)
		return;
	if (origin(r) == OPAQUE) {
		/* What a macro makes goes by the macro's name. */
		sscanf(text + r.start, "%63[A-Za-z0-9_]", name);
		left_out(c, CALL, name);
		return;
	}
	switch (clang_getCursorKind(e)) {
	case CXCursor_CallExpr:
		name_of(e, name, sizeof(name));
		left_out(c, CALL, name);
		break;
	case CXCursor_BinaryOperator:
	case CXCursor_UnaryOperator:
	case CXCursor_CompoundAssignOperator:
		assignment(c, e);
		break;
	default:
		break;
	}
}

/* In the text of a for, between its semicolons. */
static bool between_semicolons(struct range whole, struct range part)
{
	int depth = 0, semicolons = 0;

	for (unsigned int i = whole.start; i < part.start; i++) {
		depth += (text[i] == '(') - (text[i] == ')');
		semicolons += text[i] == ';' && depth == 1;
	}
	return semicolons == 1 && depth >= 1;
}

static bool returns_bool;

static void visit_parts(CXCursor c, const struct children *all)
{
	struct range r = range_of(c);
	int n = all->n;

	switch (clang_getCursorKind(c)) {
	case CXCursor_CompoundStmt:
	case CXCursor_LabelStmt:
	case CXCursor_CaseStmt:
	case CXCursor_DefaultStmt:
		for (int i = 0; i < n; i++)
			if (n == 1 || i ||
			    clang_getCursorKind(c) != CXCursor_CaseStmt)
				statement(all->c[i]);
		break;
	case CXCursor_IfStmt:
		if (starts_with(r, "if"))
			condition(all->c[0], true, true);
		for (int i = 1; i < n; i++)
			statement(all->c[i]);
		break;
	case CXCursor_WhileStmt:
		if (starts_with(r, "while"))
			condition(all->c[0], true, true);
		statement(all->c[n - 1]);
		break;
	case CXCursor_DoStmt:
		if (starts_with(r, "do"))
			condition(all->c[n - 1], true, true);
		statement(all->c[0]);
		break;
	case CXCursor_ForStmt:
		for (int i = 0; i + 1 < n && starts_with(r, "for"); i++)
			if (between_semicolons(r, range_of(all->c[i])))
				condition(all->c[i], true, true);
		statement(all->c[n - 1]);
		break;
	case CXCursor_ConditionalOperator:
		condition(all->c[0], true, true);
		break;
	case CXCursor_ReturnStmt:
		if (n && returns_bool)
			condition(all->c[0], true, true);
		break;
	case CXCursor_VarDecl:
		if (n && is_bool(clang_getCursorType(c)) &&
		    clang_isExpression(clang_getCursorKind(all->c[n - 1])))
			condition(all->c[n - 1], true, true);
		break;
	case CXCursor_BinaryOperator: {
		struct range a = range_of(all->c[0]), b = range_of(all->c[1]);

		if (assigns(a, b) && is_bool(clang_getCursorType(all->c[0])))
			condition(all->c[1], true, true);
		else if (between(a, b, "&&") || between(a, b, "||"))
			condition(c, true, true);
		break;
	}
	case CXCursor_CallExpr: {
		char name[64], wanted[70];

		name_of(c, name, sizeof(name));
		snprintf(wanted, sizeof(wanted), " %s ", name);
		if (strstr(values, wanted))
			left_out(c, VALUE, name);
		break;
	}
	default:
		break;
	}
}

static void visit(CXCursor c)
{
	struct children *all = children_of(c);

	if (all->n && origin(range_of(c)) != OPAQUE)
		visit_parts(c, all);
	for (int i = 0; i < all->n; i++)
		visit(all->c[i]);
	free(all);
}

/* --- a file -------------------------------------------------------------- */

static enum CXChildVisitResult top_level(CXCursor c, CXCursor parent,
					 CXClientData data)
{
	char name[64];

	(void)parent;
	(void)data;
	if (!in_file(c))
		return CXChildVisit_Continue;
	if (clang_getCursorKind(c) == CXCursor_MacroExpansion) {
		if (nr_macros == MAX_MACROS)
			die("%s: too many macros", path);
		macros[nr_macros++] = range_of(c);
		return CXChildVisit_Continue;
	}
	if (clang_getCursorKind(c) != CXCursor_FunctionDecl ||
	    !clang_isCursorDefinition(c))
		return CXChildVisit_Continue;
	name_of(c, name, sizeof(name));
	for (char **f = functions; *f; f++) {
		char *colon = strchr(*f, ':');

		if (!**f || strcmp(colon + 1, name) ||
		    strncmp(*f, path, colon - *f) || path[colon - *f])
			continue;
		function = colon + 1;
		returns_bool = is_bool(clang_getCursorResultType(c));
		visit(c);
		**f = '\0'; /* found */
	}
	return CXChildVisit_Continue;
}

static void read_text(void)
{
	FILE *f = fopen(path, "re");

	if (!f)
		die("%s is not in the tree", path);
	free(text);
	text = calloc(1, 1 << 22);
	text_size = fread(text, 1, (1 << 22) - 1, f);
	fclose(f);
}

/* The arguments of the compiler that matter, from what kbuild has kept. */
static int arguments(const char **args, int max)
{
	static char line[1 << 16];
	static wordexp_t words;
	char cmd[256], *start, *end;
	const char *base = strrchr(path, '/') + 1;
	int n = 0;
	FILE *f;

	snprintf(cmd, sizeof(cmd), "%.*s.%.*so.cmd", (int)(base - path), path,
		 (int)strlen(base) - 1, base);
	f = fopen(cmd, "re");
	if (!f || !fgets(line, sizeof(line), f))
		die("%s is not there: compile %s first", cmd, path);
	fclose(f);
	start = strstr(line, ":= ");
	if (!start)
		die("%s is not what kbuild writes", cmd);
	end = strstr(start, " ; ");
	if (end)
		*end = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (wordexp(start + 3, &words, WRDE_NOCMD))
		die("%s: cannot be taken apart", cmd);
	for (size_t i = 0; i < words.we_wordc && n + 2 < max; i++) {
		const char *w = words.we_wordv[i];

		if (!strcmp(w, "-include") || !strcmp(w, "-isystem")) {
			args[n++] = w;
			args[n++] = words.we_wordv[++i];
		} else if (!strncmp(w, "-I", 2) || !strncmp(w, "-D", 2) ||
			   !strncmp(w, "-U", 2) || !strncmp(w, "-std", 4) ||
			   !strcmp(w, "-nostdinc") ||
			   !strcmp(w, "-fms-extensions") ||
			   !strcmp(w, "-fshort-wchar") ||
			   !strcmp(w, "-funsigned-char")) {
			args[n++] = w;
		}
	}
	args[n++] = "-Wno-everything";
	args[n++] = "-ferror-limit=0";
	return n;
}

static void look_for_sites(CXIndex index)
{
	const char *args[256];
	int n = arguments(args, 250);
	CXTranslationUnit unit = NULL;

	nr_macros = 0;
	if (clang_parseTranslationUnit2(index, path, args, n, NULL, 0,
					CXTranslationUnit_DetailedPreprocessingRecord,
					&unit))
		die("clang cannot read %s", path);
	for (unsigned int i = 0; i < clang_getNumDiagnostics(unit); i++) {
		CXDiagnostic d = clang_getDiagnostic(unit, i);
		CXString s = clang_formatDiagnostic(d, 0);

		if (clang_getDiagnosticSeverity(d) >= CXDiagnostic_Error)
			fprintf(stderr, "mutate: %s\n", clang_getCString(s));
		clang_disposeString(s);
		clang_disposeDiagnostic(d);
	}
	/* The macros come first. */
	clang_visitChildren(clang_getTranslationUnitCursor(unit), top_level,
			    NULL);
	clang_disposeTranslationUnit(unit);
}

/* In the order of the source, what is around before what is within. */
static int by_place(const void *a, const void *b)
{
	const struct site *x = a, *y = b;

	if (x->range.start != y->range.start)
		return x->range.start < y->range.start ? -1 : 1;
	if (x->range.end != y->range.end)
		return x->range.end > y->range.end ? -1 : 1;
	return (int)x->kind - (int)y->kind;
}

static void write_file(const struct site *first, int n)
{
	const struct site *open[64];
	int depth = 0;
	FILE *f;

	/* The tree may share the file with others. */
	if (unlink(path))
		die("cannot replace %s", path);
	f = fopen(path, "we");
	if (!f)
		die("cannot write %s", path);
	fputs("#include <linux/undead_mutants.h>\n#line 1\n", f);
	for (size_t at = 0; at <= text_size; at++) {
		while (depth && open[depth - 1]->range.end == at) {
			fputc(')', f);
			depth--;
		}
		for (; n && first->range.start == at; first++, n--) {
			fprintf(f, "%s(%u, ", wrapper[first->kind],
				first->number);
			open[depth++] = first;
		}
		if (at < text_size)
			fputc(text[at], f);
	}
	if (fclose(f))
		die("cannot write %s", path);
}

static unsigned int nth(const struct site *s)
{
	unsigned int n = 0;

	for (const struct site *other = sites; other <= s; other++)
		n += !strcmp(other->function, s->function) &&
		     !strcmp(kind_name[other->kind], kind_name[s->kind]);
	return n;
}

static void mutate_file(CXIndex index)
{
	static unsigned int mutant;

	first_site = nr_sites;
	read_text();
	look_for_sites(index);
	qsort(sites + first_site, nr_sites - first_site, sizeof(*sites),
	      by_place);
	for (int i = first_site; i < nr_sites; i++) {
		struct site *s = &sites[i];

		s->number = i + 1;
		s->nth = nth(s);
		for (unsigned int o = NEGATED; o < OPERATIONS; o++)
			if (s->operations & 1 << o)
				printf("%u\t%u\t%u\t%s\t%u\t%s\t%s\t%u\t%s\n",
				       ++mutant, s->number, o, path, s->line,
				       s->function, kind_name[s->kind], s->nth,
				       s->name);
	}
	write_file(sites + first_site, nr_sites - first_site);
}

static void read_lists(const char *file, const char *not_file)
{
	char line[256], name[64], where[128];
	FILE *f = fopen(file, "re");
	int n = 0;

	if (!f)
		die("cannot read %s", file);
	while (fgets(line, sizeof(line), f) && n < 255)
		if (*line != '#' &&
		    sscanf(line, "%*s %127s %63s", where, name) == 2 &&
		    asprintf(&functions[n], "%s:%s", where, name) > 0)
			n++;
	fclose(f);
	f = fopen(not_file, "re");
	if (!f)
		die("cannot read %s", not_file);
	strcpy(values, " ");
	n = 0;
	while (fscanf(f, "%63s", name) == 1 && n < 511) {
		if (*name == '#') {
			if (!fgets(line, sizeof(line), f))
				break;
		} else if (!strncmp(name, "value:", 6)) {
			strcat(strcat(values, name + 6), " ");
		} else {
			not_calls[n++] = strdup(name);
		}
	}
	fclose(f);
}

int main(int argc, char **argv)
{
	CXIndex index = clang_createIndex(0, 0);

	if (argc != 4)
		die("usage: mutate TREE FUNCTIONS NOT-CALLS");
	read_lists(argv[2], argv[3]);
	if (chdir(argv[1]))
		die("%s: no such tree", argv[1]);
	for (char **f = functions; *f; f++) {
		static char file[128];

		if (!**f)
			continue;
		snprintf(file, sizeof(file), "%.*s", (int)strcspn(*f, ":"), *f);
		path = file;
		mutate_file(index);
	}
	for (char **f = functions; *f; f++)
		if (**f)
			die("%s is not in this kernel", *f);
	return 0;
}
