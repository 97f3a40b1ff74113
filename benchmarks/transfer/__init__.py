"""Transfer: user vectors trained on a large stream as features for a small one."""
