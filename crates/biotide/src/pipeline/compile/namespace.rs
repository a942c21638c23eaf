//! The namespaces that steps name.

use biotide_common::nearest::nearest;
use biotide_functions::References;
use biotide_functions::identifier::is_namespace;

use super::super::actions::Params;
use super::Scope;
use super::scope::refused;
use crate::error::Result;

/// Refuses a namespace that is none, where it is named.
pub(super) fn check_namespace(scope: &Scope, params: &Params, name: &str) -> Result<()> {
    let Some(namespace) = params.text(name) else {
        return Ok(());
    };
    let config = scope.state.config();
    let references = config.get_extension::<References>().unwrap_or_default();
    let registry = references.registry(config.options())?;
    if is_namespace(&registry, namespace) {
        return Ok(());
    }
    let known = registry.prefixes().iter();
    let near = match nearest(namespace, known.map(|prefix| prefix.prefix.as_str())) {
        Some(near) => format!("did you mean '{near}'?"),
        None => {
            "it is a prefix, such as uniprot (SELECT prefix, name FROM system.prefixes)".to_owned()
        }
    };
    let problem = format!("'{namespace}' is no namespace that is known; {near}");
    Err(refused(params, name, problem))
}
