//! Rules that are built in: those of `sql/rules`.

const RULES: [(&str, &str); 4] = [
    (
        "olink",
        include_str!("../../../../sql/rules/olink.rules.yaml"),
    ),
    (
        "arivale_proteomics",
        include_str!("../../../../sql/rules/arivale_proteomics.rules.yaml"),
    ),
    (
        "arivale_metabolomics",
        include_str!("../../../../sql/rules/arivale_metabolomics.rules.yaml"),
    ),
    (
        "metabolites",
        include_str!("../../../../sql/rules/metabolites.rules.yaml"),
    ),
];

/// Their names.
pub(super) fn names() -> impl Iterator<Item = &'static str> + Clone {
    RULES.iter().map(|&(name, _)| name)
}

/// The text of those of a name.
pub(super) fn find(name: &str) -> Option<&'static str> {
    RULES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|&(_, text)| text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::Rules;

    #[test]
    fn all_can_be_read() {
        for name in names() {
            Rules::parse(find(name).unwrap(), name).unwrap();
        }
    }
}
