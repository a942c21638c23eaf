//! The namespaces that steps name.

use biotide_functions::References;
use biotide_functions::identifier::unknown_namespace;

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
    match unknown_namespace(&registry, namespace) {
        None => Ok(()),
        Some(near) => {
            let problem = format!("'{namespace}' is no namespace that is known; {near}");
            Err(refused(params, name, problem))
        }
    }
}
