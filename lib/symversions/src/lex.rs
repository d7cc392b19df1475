//! Tokens, as the parser wants them: keywords and names of types are told from other
//! identifiers, and what the parser doesn't look into is one token.

use base::bytes::until_nul;

use crate::dialect::Dialect;
use crate::grammar::{LITERALS, token};
use crate::input::Input;
use crate::list::{Lists, Place};
use crate::names::{Name, Names};
use crate::say::Say;
use crate::scan::{Passed, Scanned, Scanner, Token, marker};
use crate::symbols::{Kind, Symbols, Word};
use crate::undefined::{Stopped, Undefined};

/// Keywords, the kernels that have them, and their tokens.
type Keyword = (&'static str, fn(&Dialect) -> bool, u8);

const ALWAYS: fn(&Dialect) -> bool = |_| true;
const SEGMENTS: fn(&Dialect) -> bool = |dialect| dialect.segments;

const KEYWORDS: &[Keyword] = &[
    ("__GENKSYMS_EXPORT_SYMBOL", ALWAYS, token::EXPORT_SYMBOL_KEYW),
    ("__asm", ALWAYS, token::ASM_KEYW),
    ("__asm__", ALWAYS, token::ASM_KEYW),
    ("asm", ALWAYS, token::ASM_KEYW),
    ("__attribute", ALWAYS, token::ATTRIBUTE_KEYW),
    ("__attribute__", ALWAYS, token::ATTRIBUTE_KEYW),
    ("__extension__", ALWAYS, token::EXTENSION_KEYW),
    ("__typeof", ALWAYS, token::TYPEOF_KEYW),
    ("__typeof__", ALWAYS, token::TYPEOF_KEYW),
    ("typeof", ALWAYS, token::TYPEOF_KEYW),
    ("__typeof_unqual", SEGMENTS, token::TYPEOF_KEYW),
    ("__typeof_unqual__", SEGMENTS, token::TYPEOF_KEYW),
    ("typeof_unqual", SEGMENTS, token::TYPEOF_KEYW),
    ("_Static_assert", |dialect| dialect.static_asserts, token::STATIC_ASSERT_KEYW),
    ("__seg_fs", SEGMENTS, token::X86_SEG_KEYW),
    ("__seg_gs", SEGMENTS, token::X86_SEG_KEYW),
    ("__const", ALWAYS, token::CONST_KEYW),
    ("__const__", ALWAYS, token::CONST_KEYW),
    ("const", ALWAYS, token::CONST_KEYW),
    ("__volatile", ALWAYS, token::VOLATILE_KEYW),
    ("__volatile__", ALWAYS, token::VOLATILE_KEYW),
    ("volatile", ALWAYS, token::VOLATILE_KEYW),
    ("__restrict", ALWAYS, token::RESTRICT_KEYW),
    ("__restrict__", ALWAYS, token::RESTRICT_KEYW),
    ("restrict", ALWAYS, token::RESTRICT_KEYW),
    ("__inline", ALWAYS, token::INLINE_KEYW),
    ("__inline__", ALWAYS, token::INLINE_KEYW),
    ("inline", ALWAYS, token::INLINE_KEYW),
    ("__signed", ALWAYS, token::SIGNED_KEYW),
    ("__signed__", ALWAYS, token::SIGNED_KEYW),
    ("signed", ALWAYS, token::SIGNED_KEYW),
    ("__builtin_va_list", ALWAYS, token::VA_LIST_KEYW),
    ("__int128", ALWAYS, token::BUILTIN_INT_KEYW),
    ("__int128_t", ALWAYS, token::BUILTIN_INT_KEYW),
    ("__uint128_t", ALWAYS, token::BUILTIN_INT_KEYW),
    ("_Bool", ALWAYS, token::BOOL_KEYW),
    ("auto", ALWAYS, token::AUTO_KEYW),
    ("char", ALWAYS, token::CHAR_KEYW),
    ("double", ALWAYS, token::DOUBLE_KEYW),
    ("enum", ALWAYS, token::ENUM_KEYW),
    ("extern", ALWAYS, token::EXTERN_KEYW),
    ("float", ALWAYS, token::FLOAT_KEYW),
    ("int", ALWAYS, token::INT_KEYW),
    ("long", ALWAYS, token::LONG_KEYW),
    ("register", ALWAYS, token::REGISTER_KEYW),
    ("short", ALWAYS, token::SHORT_KEYW),
    ("static", ALWAYS, token::STATIC_KEYW),
    ("struct", ALWAYS, token::STRUCT_KEYW),
    ("typedef", ALWAYS, token::TYPEDEF_KEYW),
    ("union", ALWAYS, token::UNION_KEYW),
    ("unsigned", ALWAYS, token::UNSIGNED_KEYW),
    ("void", ALWAYS, token::VOID_KEYW),
];

/// Sizes and numbers of the elements of Arm's vector types.
const VECTORS: ([&str; 4], [&str; 5]) = (["8", "16", "32", "64"], ["1", "2", "4", "8", "16"]);

/// A byte from 128 on is a negative token on hosts whose `char` is signed, and so the
/// end of the source; on others it is one that the grammar doesn't know.
const CHAR_IS_SIGNED: bool = cfg!(any(
    target_arch = "x86",
    target_arch = "x86_64",
    target_arch = "loongarch64",
    target_arch = "mips",
    target_arch = "mips64",
    target_arch = "sparc64"
));

/// What is collected until it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Normal,
    Attribute,
    Asm,
    StaticAssert,
    Typeof,
    /// Just after the parenthesis.
    TypeofBegins,
    Bracket,
    Expression,
}

/// What the lexer works with.
pub(crate) struct Source<'a, 'b> {
    pub(crate) input: &'a mut Input<'b>,
    pub(crate) names: &'a mut Names,
    pub(crate) lists: &'a mut Lists,
    pub(crate) symbols: &'a Symbols,
}

/// The lexer.
#[derive(Debug)]
pub(crate) struct Lexer {
    scanner: Scanner,
    state: State,
    /// A parenthesis that was put back comes before all else.
    parenthesis: bool,
    /// An opening brace was just read that the parser doesn't look into.
    is_in_braces: bool,
    /// For so many tokens names of types are just identifiers.
    no_types: u8,
    /// For so many tokens braces are looked into.
    no_brace_phrase: u8,
    /// The parser wants a name, not a type.
    pub(crate) wants_name: bool,
    attributes_placed: bool,
    /// The tokens of the first names, which are keywords or built-in types.
    keywords: Vec<u8>,
    /// The first names from this one on are vector types.
    vectors: u32,
    /// The tokens of single bytes.
    bytes: [u8; 256],
    /// The names of single bytes.
    names_of_bytes: [Name; 256],
    /// The file of the first line marker.
    source: Option<Vec<u8>>,
    in_source: bool,
}

impl Lexer {
    pub(crate) fn new(names: &mut Names, dialect: &Dialect) -> Self {
        let mut bytes = [token::UNDEFINED; 256];
        for &(byte, token) in LITERALS {
            bytes[usize::from(byte)] = token;
        }
        bytes[0] = token::END;
        if CHAR_IS_SIGNED {
            bytes[128..].fill(token::END);
        }
        let mut keywords = Vec::new();
        for (keyword, _, token) in KEYWORDS.iter().filter(|(_, is_known, _)| is_known(dialect)) {
            names.of(keyword.as_bytes());
            keywords.push(*token);
        }
        let vectors = keywords.len() as u32;
        if dialect.vector_types {
            for size in VECTORS.0 {
                for number in VECTORS.1 {
                    for sign in ["", "u"] {
                        names.of(format!("{sign}int{size}x{number}_t").as_bytes());
                        keywords.push(token::BUILTIN_INT_KEYW);
                    }
                }
            }
        }
        let mut names_of_bytes = [Name(0); 256];
        for (byte, name) in names_of_bytes.iter_mut().enumerate() {
            *name = names.of(&[byte as u8]);
        }
        Self {
            scanner: Scanner { at: 0, lines: 0 },
            state: State::Normal,
            parenthesis: false,
            is_in_braces: false,
            no_types: 0,
            no_brace_phrase: 0,
            wants_name: false,
            attributes_placed: dialect.attributes_placed,
            keywords,
            vectors,
            bytes,
            names_of_bytes,
            source: None,
            in_source: false,
        }
    }

    /// Follows a line marker.
    fn mark(&mut self, say: &mut Say<'_>, line: &[u8]) -> Result<(), Undefined> {
        let Some((_, file)) = marker(line) else { return Ok(()) };
        let file = &line[file];
        if file.contains(&0) {
            return Err(Undefined("a line marker's file name has a NUL"));
        }
        // The number is read from the third byte on, by atoi(3).
        let (number, _) = base::bytes::strtoul(&line[2..], 10);
        // What strtol(3) gives for what is too large, cut to an int.
        say.line = number.min(usize::MAX >> 1) as i32;
        say.file = Some(file.to_vec());
        self.in_source = self.source.as_deref().is_none_or(|source| source == file);
        self.source.get_or_insert_with(|| file.to_vec());
        Ok(())
    }

    fn append(&self, source: &mut Source<'_, '_>, name: Name) {
        source.lists.append(name, Self::kind(source.symbols, name), self.in_source);
    }

    /// The next token and its place in the list.
    pub(crate) fn next(&mut self, source: &mut Source<'_, '_>, say: &mut Say<'_>) -> Result<(u8, Place), Stopped> {
        let mut count = 0;
        let token = loop {
            if std::mem::take(&mut self.is_in_braces) {
                if self.pass_braces(source, say)? {
                    break token::BRACE_PHRASE;
                }
                return Ok((token::END, source.lists.last()));
            }
            let scanned = self.scan(source, say)?;
            let Scanned { token, begin, end } = scanned;
            if matches!(token, Token::End | Token::Byte(0)) {
                return Ok((token::END, source.lists.last()));
            }
            let name = match token {
                Token::Byte(byte) => self.names_of_bytes[usize::from(byte)],
                _ => Self::name(source.names, token, &source.input.text()[begin..end]),
            };
            if let Some(token) = self.step(source, scanned, name, &mut count) {
                break token;
            }
        };
        self.no_types = self.no_types.saturating_sub(1);
        // Attributes may stand between `struct` and its brace.
        if !(self.attributes_placed && token == token::ATTRIBUTE_PHRASE) {
            self.no_brace_phrase = self.no_brace_phrase.saturating_sub(1);
        }
        Ok((token, source.lists.last()))
    }

    /// Reads more of the source, and keeps what is between the declaration's braces, which
    /// may be looked at again.
    fn read(&mut self, source: &mut Source<'_, '_>) -> Result<(), Stopped> {
        let at = self.scanner.at;
        let keep = source.lists.first_phrase().map_or(at, |begin| source.input.place(begin).min(at));
        source.input.read(keep)?;
        self.scanner.at -= keep;
        Ok(())
    }

    /// The next token that flex would find, and what line markers say.
    fn scan(&mut self, source: &mut Source<'_, '_>, say: &mut Say<'_>) -> Result<Scanned, Stopped> {
        if std::mem::take(&mut self.parenthesis) {
            return Ok(Scanned { token: Token::Byte(b'('), begin: self.scanner.at, end: self.scanner.at });
        }
        loop {
            let scanned = self.scanner.next(source.input.text(), source.input.is_last());
            say.line = say.line.wrapping_add(std::mem::take(&mut self.scanner.lines));
            match scanned.token {
                Token::End if !source.input.is_last() => self.read(source)?,
                Token::FileName => self.mark(say, &source.input.text()[scanned.begin..scanned.end])?,
                _ => return Ok(scanned),
            }
        }
    }

    /// Passes over what is between braces; returns whether they are closed.
    fn pass_braces(&mut self, source: &mut Source<'_, '_>, say: &mut Say<'_>) -> Result<bool, Stopped> {
        let (brace, begin) = (self.names_of_bytes[usize::from(b'}')], source.input.position(self.scanner.at));
        source.lists.append_phrase(brace, begin, self.in_source);
        let mut open = 1;
        loop {
            let text = source.input.text();
            let passed = self.scanner.pass_braces(text, source.input.is_last(), &mut open);
            say.line = say.line.wrapping_add(std::mem::take(&mut self.scanner.lines));
            match passed {
                Passed::Brace => return Ok(true),
                Passed::Marker(begin) => self.mark(say, &text[begin..self.scanner.at])?,
                Passed::End if !source.input.is_last() => self.read(source)?,
                Passed::End | Passed::Nul => return Ok(false),
            }
        }
    }

    /// The name of a token. What is quoted ends at a NUL.
    fn name(names: &mut Names, token: Token, text: &[u8]) -> Name {
        names.of(if matches!(token, Token::String | Token::Character) { until_nul(text) } else { text })
    }

    /// The names and kinds of the tokens from a position in the source on, up to the brace
    /// that closes the one before it.
    pub(crate) fn between_braces(input: &Input<'_>, names: &mut Names, symbols: &Symbols, begin: u32) -> Vec<Word> {
        let mut scanner = Scanner { at: input.place(begin), lines: 0 };
        let (mut words, mut open) = (Vec::new(), 1);
        loop {
            let Scanned { token, begin, end } = scanner.next(input.text(), true);
            match token {
                Token::FileName => continue,
                Token::End => return words,
                Token::Byte(b'{') => open += 1,
                Token::Byte(b'}') => open -= 1,
                _ => {}
            }
            if open == 0 {
                return words;
            }
            let name = Self::name(names, token, &input.text()[begin..end]);
            words.push(Word::new(Self::kind(symbols, name), name));
        }
    }

    fn kind(symbols: &Symbols, name: Name) -> Kind {
        if symbols.is(name, Kind::EnumConst) { Kind::EnumConst } else { Kind::Normal }
    }

    /// What a token is in the present state; `None` if it is part of one that goes on.
    fn step(&mut self, source: &mut Source<'_, '_>, scanned: Scanned, name: Name, count: &mut i32) -> Option<u8> {
        let token = scanned.token;
        match self.state {
            State::Normal => self.normal(source, token, name, count),
            State::Attribute => self.collect(source, token, name, count, (b'(', b')'), token::ATTRIBUTE_PHRASE),
            State::Asm => self.collect(source, token, name, count, (b'(', b')'), token::ASM_PHRASE),
            State::StaticAssert => self.collect(source, token, name, count, (b'(', b')'), token::STATIC_ASSERT_PHRASE),
            State::Bracket => self.collect(source, token, name, count, (b'[', b']'), token::BRACKET_PHRASE),
            State::Typeof | State::TypeofBegins => self.type_of(source, scanned, name, count),
            State::Expression => {
                let is_end = matches!(token, Token::Byte(b'}' | b',' | b';')) && *count == 0;
                if is_end {
                    // It comes again, on its own.
                    self.scanner.at = scanned.begin;
                    self.state = State::Normal;
                    return Some(token::EXPRESSION_PHRASE);
                }
                match token {
                    Token::Byte(b'(' | b'[' | b'{') => *count += 1,
                    Token::Byte(b')' | b']' | b'}') => *count -= 1,
                    _ => {}
                }
                self.append(source, name);
                None
            }
        }
    }

    fn begin(&mut self, state: State, count: &mut i32, first: i32) -> Option<u8> {
        self.state = state;
        *count = first;
        None
    }

    fn normal(&mut self, source: &mut Source<'_, '_>, token: Token, name: Name, count: &mut i32) -> Option<u8> {
        self.append(source, name);
        Some(match token {
            Token::Identifier => return self.identifier(source, name, count),
            Token::Byte(b'[') => return self.begin(State::Bracket, count, 1),
            Token::Byte(b'{') if self.no_brace_phrase == 0 => {
                self.is_in_braces = true;
                return None;
            }
            Token::Byte(byte @ (b'=' | b':')) => {
                self.state = State::Expression;
                self.bytes[usize::from(byte)]
            }
            Token::Byte(byte) => self.bytes[usize::from(byte)],
            Token::String => token::STRING,
            Token::Character => token::CHAR,
            Token::Integer => token::INT,
            Token::Real => token::REAL,
            Token::Dots => token::DOTS,
            Token::Other | Token::FileName | Token::End => token::OTHER,
        })
    }

    fn identifier(&mut self, source: &Source<'_, '_>, name: Name, count: &mut i32) -> Option<u8> {
        let Some(&keyword) = self.keywords.get(name.index()) else {
            return Some(self.or_type(source, name, token::IDENT));
        };
        match keyword {
            token::ATTRIBUTE_KEYW => self.begin(State::Attribute, count, 0),
            token::ASM_KEYW => self.begin(State::Asm, count, 0),
            token::TYPEOF_KEYW => self.begin(State::Typeof, count, 0),
            token::STATIC_ASSERT_KEYW => self.begin(State::StaticAssert, count, 0),
            token::STRUCT_KEYW | token::UNION_KEYW | token::ENUM_KEYW => {
                self.no_brace_phrase = 3;
                self.no_types = 2;
                Some(keyword)
            }
            token::EXPORT_SYMBOL_KEYW => Some(keyword),
            // flex tells these from identifiers.
            _ if name.0 >= self.vectors => Some(keyword),
            _ => Some(self.or_type(source, name, keyword)),
        }
    }

    fn or_type(&self, source: &Source<'_, '_>, name: Name, otherwise: u8) -> u8 {
        let is_looked_up = self.no_types == 0 && !(self.attributes_placed && self.wants_name);
        if is_looked_up && source.symbols.is(name, Kind::Typedef) { token::TYPE } else { otherwise }
    }

    /// Collects tokens until parentheses, brackets or braces are closed.
    fn collect(
        &mut self,
        source: &mut Source<'_, '_>,
        token: Token,
        name: Name,
        count: &mut i32,
        (open, close): (u8, u8),
        phrase: u8,
    ) -> Option<u8> {
        self.append(source, name);
        match token {
            Token::Byte(byte) if byte == open => *count += 1,
            Token::Byte(byte) if byte == close => {
                *count -= 1;
                if *count == 0 {
                    self.state = State::Normal;
                    return Some(phrase);
                }
            }
            _ => {}
        }
        None
    }

    fn type_of(&mut self, source: &mut Source<'_, '_>, scanned: Scanned, name: Name, count: &mut i32) -> Option<u8> {
        if self.state == State::TypeofBegins {
            let is_keyword = name.index() < self.keywords.len() && name.0 < self.vectors;
            let is_vector = name.index() < self.keywords.len() && !is_keyword;
            if scanned.token == Token::Identifier && !is_vector {
                if is_keyword || source.symbols.is(name, Kind::Typedef) {
                    // A type: it and its parenthesis are the parser's.
                    self.scanner.at = scanned.begin;
                    self.parenthesis = true;
                    self.state = State::Normal;
                    return Some(token::TYPEOF_KEYW);
                }
                self.append(source, self.names_of_bytes[usize::from(b'(')]);
            }
            self.state = State::Typeof;
        }
        match scanned.token {
            Token::Byte(b'(') => {
                *count += 1;
                if *count == 1 {
                    self.state = State::TypeofBegins;
                    return None;
                }
            }
            Token::Byte(b')') => *count -= 1,
            _ => {}
        }
        self.append(source, name);
        if scanned.token == Token::Byte(b')') && *count == 0 {
            self.state = State::Normal;
            return Some(token::TYPEOF_PHRASE);
        }
        None
    }
}
