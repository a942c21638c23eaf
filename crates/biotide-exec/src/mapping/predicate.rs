//! What follows from what: SSSOM's chaining rules (mapping-commons/sssom, `chaining-rules.md`) as a table of kinds.
//!
//! | kind | predicates | the other way round | chains |
//! |---|---|---|---|
//! | exact | skos:exactMatch, owl:sameAs, owl:equivalentClass, owl:equivalentProperty, owl:equivalentTo | exact | with itself (T1); leaves others as they are (RCE1, RCE2) |
//! | narrow | skos:narrowMatch | broad (RI1) | with itself |
//! | broad | skos:broadMatch, rdfs:subClassOf, rdfs:subPropertyOf, owl:subClassOf (RG2) | narrow (RI2) | with itself |
//! | close, related | skos:closeMatch, skos:relatedMatch | itself | with exact; with itself if asked for |
//! | xref | oboInOwl:hasDbXref, skos:mappingRelation | itself | with exact and itself if asked for |
//! | cross-species | semapv:crossSpecies{Exact,Narrow,Broad}Match | RI3 to RI5 | no |
//! | other | any other | none | no |
//!
//! A chain of one predicate has that predicate; of several that are of a kind, SKOS's (RG1, RG2): of cross-references
//! that is skos:mappingRelation, which says no more than that they are mapped. Beside what is exact a cross-reference
//! keeps its predicate: SKOS has none that says the same.

/// What a predicate means for chains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// The same thing.
    Exact,
    /// The object is narrower.
    Narrow,
    /// The object is broader.
    Broad,
    /// Nearly the same.
    Close,
    /// Associated.
    Related,
    /// A cross-reference, of which nothing else is said.
    Xref,
    /// The same in another species.
    CrossExact,
    /// Narrower, in another species.
    CrossNarrow,
    /// Broader, in another species.
    CrossBroad,
    /// Anything else.
    Other,
}

impl Kind {
    /// How far it is from saying that two are the same; from the other end it is as far.
    pub(crate) fn distance(self) -> u8 {
        match self {
            Self::Exact => 0,
            Self::Narrow | Self::Broad => 1,
            Self::Close => 2,
            Self::CrossExact => 3,
            Self::CrossNarrow | Self::CrossBroad => 4,
            Self::Related => 5,
            Self::Xref => 6,
            Self::Other => 7,
        }
    }

    pub(crate) const ALL: [Self; 10] = [
        Self::Exact,
        Self::Narrow,
        Self::Broad,
        Self::Close,
        Self::Related,
        Self::Xref,
        Self::CrossExact,
        Self::CrossNarrow,
        Self::CrossBroad,
        Self::Other,
    ];

    /// That of a predicate.
    pub fn of(predicate: &str) -> Self {
        match predicate {
            "skos:exactMatch"
            | "owl:sameAs"
            | "owl:equivalentClass"
            | "owl:equivalentProperty"
            | "owl:equivalentTo" => Self::Exact,
            "skos:narrowMatch" => Self::Narrow,
            "skos:broadMatch" | "rdfs:subClassOf" | "owl:subClassOf" | "rdfs:subPropertyOf" => {
                Self::Broad
            }
            "skos:closeMatch" => Self::Close,
            "skos:relatedMatch" => Self::Related,
            "oboInOwl:hasDbXref"
            | "oboinowl:hasDbXref"
            | "oio:hasDbXref"
            | "skos:mappingRelation" => Self::Xref,
            "semapv:crossSpeciesExactMatch" => Self::CrossExact,
            "semapv:crossSpeciesNarrowMatch" => Self::CrossNarrow,
            "semapv:crossSpeciesBroadMatch" => Self::CrossBroad,
            _ => Self::Other,
        }
    }

    pub(crate) fn from_u8(n: u8) -> Self {
        Self::ALL
            .get(usize::from(n))
            .copied()
            .unwrap_or(Self::Other)
    }

    /// The predicate of a chain whose parts are of this kind and not all alike; `None` if there is none.
    pub fn general(self) -> Option<&'static str> {
        Some(match self {
            Self::Exact => "skos:exactMatch",
            Self::Narrow => "skos:narrowMatch",
            Self::Broad => "skos:broadMatch",
            Self::Close => "skos:closeMatch",
            Self::Related => "skos:relatedMatch",
            Self::Xref => "skos:mappingRelation",
            Self::CrossExact => "semapv:crossSpeciesExactMatch",
            Self::CrossNarrow => "semapv:crossSpeciesNarrowMatch",
            Self::CrossBroad => "semapv:crossSpeciesBroadMatch",
            Self::Other => return None,
        })
    }

    /// The kind of the same statement, read from its object.
    pub fn inverse(self) -> Option<Self> {
        Some(match self {
            Self::Narrow => Self::Broad,
            Self::Broad => Self::Narrow,
            Self::CrossNarrow => Self::CrossBroad,
            Self::CrossBroad => Self::CrossNarrow,
            Self::Other => return None,
            symmetric => symmetric,
        })
    }

    /// Whether who denies `self` of a pair denies `claimed` of it: what is the same is also nearly the same.
    pub fn denies(self, claimed: Self) -> bool {
        self == claimed || self == Self::Close && claimed == Self::Exact
    }
}

/// The predicate of the same statement, read from its object.
pub fn inverse(predicate: &str) -> Option<&str> {
    let kind = Kind::of(predicate);
    match kind.inverse()? {
        same if same == kind => Some(predicate),
        other => other.general(),
    }
}

/// Which kinds chain with themselves although the rules do not say so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd)]
pub struct Chains {
    /// `skos:closeMatch`.
    pub close: bool,
    /// `skos:relatedMatch`.
    pub related: bool,
    /// `oboInOwl:hasDbXref`.
    pub xref: bool,
}

impl Chains {
    fn allows(self, kind: Kind) -> bool {
        match kind {
            Kind::Exact | Kind::Narrow | Kind::Broad => true,
            Kind::Close => self.close,
            Kind::Related => self.related,
            Kind::Xref => self.xref,
            _ => false,
        }
    }

    /// What follows from two statements, one behind the other.
    pub fn compose(self, first: Kind, second: Kind) -> Option<Kind> {
        match (first, second) {
            (Kind::Exact, Kind::Close | Kind::Related) => Some(second),
            (Kind::Close | Kind::Related, Kind::Exact) => Some(first),
            (Kind::Exact, other) | (other, Kind::Exact) => self.allows(other).then_some(other),
            (one, other) => (one == other && self.allows(one)).then_some(one),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_compose_as_the_rules_say() {
        use Kind::*;
        let plain = Chains::default();
        for (first, second, composed) in [
            (Exact, Exact, Some(Exact)),
            (Exact, Narrow, Some(Narrow)),
            (Broad, Exact, Some(Broad)),
            (Exact, Close, Some(Close)),
            (Related, Exact, Some(Related)),
            (Narrow, Narrow, Some(Narrow)),
            (Narrow, Broad, None),
            (Close, Close, None),
            (Close, Narrow, None),
            (Exact, Xref, None),
            (Xref, Xref, None),
            (CrossExact, Exact, None),
            (CrossExact, CrossExact, None),
            (Other, Exact, None),
        ] {
            assert_eq!(
                plain.compose(first, second),
                composed,
                "{first:?} {second:?}"
            );
        }
        let asked = Chains {
            close: true,
            related: false,
            xref: true,
        };
        assert_eq!(asked.compose(Exact, Xref), Some(Xref));
        assert_eq!(asked.compose(Xref, Exact), Some(Xref));
        assert_eq!(asked.compose(Xref, Xref), Some(Xref));
        assert_eq!(asked.compose(Close, Close), Some(Close));
        assert_eq!(asked.compose(Related, Related), None);
        assert_eq!(asked.compose(Close, Xref), None);
    }

    #[test]
    fn statements_are_read_from_their_object() {
        for (predicate, other) in [
            ("skos:exactMatch", Some("skos:exactMatch")),
            ("owl:sameAs", Some("owl:sameAs")),
            ("skos:narrowMatch", Some("skos:broadMatch")),
            ("skos:broadMatch", Some("skos:narrowMatch")),
            ("rdfs:subClassOf", Some("skos:narrowMatch")),
            (
                "semapv:crossSpeciesNarrowMatch",
                Some("semapv:crossSpeciesBroadMatch"),
            ),
            ("oboInOwl:hasDbXref", Some("oboInOwl:hasDbXref")),
            ("skos:mappingRelation", Some("skos:mappingRelation")),
            ("IAO:0100001", None),
        ] {
            assert_eq!(inverse(predicate), other, "{predicate}");
        }
        assert!(Kind::Close.denies(Kind::Exact) && !Kind::Exact.denies(Kind::Close));
    }

    #[test]
    fn a_predicate_for_all_of_a_kind_is_of_the_kind() {
        for kind in Kind::ALL {
            assert!(kind.general().is_none_or(|name| Kind::of(name) == kind));
        }
        // (A cross-reference is no mapping that anybody has stated.)
        assert_eq!(Kind::Xref.general(), Some("skos:mappingRelation"));
    }

    #[test]
    fn kinds_have_numbers() {
        for (n, kind) in (0..).zip(Kind::ALL) {
            assert_eq!((kind as u8, Kind::from_u8(n)), (n, kind));
        }
        assert_eq!(Kind::from_u8(200), Kind::Other);
    }
}
