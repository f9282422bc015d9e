//! What is not normal, by the run's own account.
use crate::audit::Audit;
/// States.
#[derive(Clone, Debug, Default)]
pub struct States {}
impl States {
    /// x
    pub fn judge(&self, _audit: &mut Audit, _wanted: &str, _market: Option<usize>, _refusal: Option<&str>) {}
}
