"""The audit: how unequally a model treats groups, and how sure that is."""

from __future__ import annotations

from fairdistill.auditing.audit import AuditOptions, audit

__all__ = ["AuditOptions", "audit"]
