//! The kinds of types: what each consists of, and what a kernel checks in it, in its
//! order.

/// A kind.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// Words that follow, and those of each element.
    pub(super) words: usize,
    pub(super) element: usize,
    pub(super) checks: &'static [Check],
    pub(super) details: Details,
}

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// No elements follow.
    NoElements,
    /// The flag isn't set; of tags, where those have none.
    NoFlag,
    NoFlagOfTag,
    /// It has no name.
    Unnamed,
    /// Its name is an identifier; or it has none.
    Identifier,
    IdentifierOrNone,
    /// It has a name that can be a section's.
    Section,
    /// It has a name, of a tag or as the value of one.
    Tag,
    Value,
    /// There is no other type, or no size.
    NoType,
    NoSize,
    /// There is a size.
    Size,
    /// The size is that of an enumeration, or of a floating-point number.
    EnumSize,
    FloatSize,
    /// The other type's number is one; and isn't that of `void`.
    Type,
    TypeNotVoid,
    /// An integer's encoding.
    Integer,
    /// The types of an array's elements and index.
    Element,
    Index,
    /// How a function or a variable is linked.
    FunctionLinkage,
    VariableLinkage,
    /// Which part of a type a tag is for.
    Component,
    /// Every member, enumerator, or variable.
    Members,
    Enumerators,
    Variables,
}

/// What messages say of a type besides its kind and name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Details {
    Integer,
    Reference,
    Forward,
    Array,
    SizeAndCount,
    Size,
    Function,
    Variable,
    Tag,
}

use Check::{
    Component, Element, EnumSize, Enumerators, FloatSize, FunctionLinkage, Identifier, IdentifierOrNone, Index,
    Integer, Members, NoElements, NoFlag, NoFlagOfTag, NoSize, NoType, Section, Size, Tag, Type, TypeNotVoid, Unnamed,
    Value, VariableLinkage, Variables,
};

const fn kind(
    name: &'static str,
    (words, element): (usize, usize),
    checks: &'static [Check],
    details: Details,
) -> Kind {
    Kind { name, words, element, checks, details }
}

const fn modifier(name: &'static str) -> Kind {
    kind(name, (0, 0), &[NoElements, NoFlag, Type, Unnamed], Details::Reference)
}

const fn composite(name: &'static str) -> Kind {
    kind(name, (0, 3), &[IdentifierOrNone, Members], Details::SizeAndCount)
}

const fn enumeration(name: &'static str, element: usize) -> Kind {
    kind(name, (0, element), &[EnumSize, IdentifierOrNone, Enumerators], Details::SizeAndCount)
}

/// Numbers of kinds that more is known of.
pub(super) const INT: usize = 1;
pub(super) const ARRAY: usize = 3;
pub(super) const STRUCT: usize = 4;
pub(super) const UNION: usize = 5;
pub(super) const ENUM: usize = 6;
pub(super) const FWD: usize = 7;
pub(super) const TYPEDEF: usize = 8;
pub(super) const VOLATILE: usize = 9;
pub(super) const CONST: usize = 10;
pub(super) const RESTRICT: usize = 11;
pub(super) const FUNC_PROTO: usize = 13;
pub(super) const FLOAT: usize = 16;
pub(super) const TYPE_TAG: usize = 18;
pub(super) const ENUM64: usize = 19;

/// All kinds, by their numbers. There is none with number 0.
pub(super) static KINDS: &[Kind] = &[
    kind("UNKNOWN", (0, 0), &[], Details::Size),
    kind("INT", (1, 0), &[NoElements, NoFlag, Integer], Details::Integer),
    modifier("PTR"),
    kind("ARRAY", (3, 0), &[Unnamed, NoElements, NoFlag, NoSize, Element, Index], Details::Array),
    composite("STRUCT"),
    composite("UNION"),
    enumeration("ENUM", 2),
    kind("FWD", (0, 0), &[NoElements, NoType, Identifier], Details::Forward),
    kind("TYPEDEF", (0, 0), &[NoElements, NoFlag, Type, Identifier], Details::Reference),
    modifier("VOLATILE"),
    modifier("CONST"),
    modifier("RESTRICT"),
    kind("FUNC", (0, 0), &[Identifier, FunctionLinkage, NoFlag], Details::Reference),
    kind("FUNC_PROTO", (0, 2), &[Unnamed, NoFlag], Details::Function),
    kind("VAR", (1, 0), &[NoElements, NoFlag, Identifier, TypeNotVoid, VariableLinkage], Details::Variable),
    kind("DATASEC", (0, 3), &[Size, NoFlag, Section, Variables], Details::SizeAndCount),
    kind("FLOAT", (0, 0), &[NoElements, NoFlag, FloatSize], Details::Size),
    kind("DECL_TAG", (1, 0), &[Value, NoFlagOfTag, NoElements, Component], Details::Tag),
    kind("TYPE_TAG", (0, 0), &[NoElements, NoFlagOfTag, Type, Tag], Details::Reference),
    enumeration("ENUM64", 3),
];
