"""Loss functions, each usable alone, and the terms that methods are made of."""

from fairdistill.losses.adversary import Adversaries, Adversary, reverse_gradient
from fairdistill.losses.attention import AttentionTransfer, attention_loss
from fairdistill.losses.cross_entropy import CrossEntropy
from fairdistill.losses.dkd import DKD, dkd_loss
from fairdistill.losses.domain_independent import DomainIndependent, domain_independent_loss
from fairdistill.losses.dro import GroupDRO, dro_loss
from fairdistill.losses.hint import Hint, hint_loss
from fairdistill.losses.kd import KD, kd_loss
from fairdistill.losses.mfd import MFD, mfd_loss
from fairdistill.losses.nst import NeuronSelectivity, nst_loss
from fairdistill.losses.reweight import Reweight, reweighing, reweighted_loss
from fairdistill.losses.rkd import RKD, rkd_loss
from fairdistill.losses.self_mfd import SelfMFD, self_mfd_loss
from fairdistill.losses.term import Term, TermContext, TermSpec

__all__ = [
    "DKD", "KD", "MFD", "RKD", "Adversaries", "Adversary", "AttentionTransfer", "CrossEntropy", "DomainIndependent",
    "GroupDRO", "Hint", "NeuronSelectivity", "Reweight", "SelfMFD", "Term", "TermContext", "TermSpec",
    "attention_loss", "dkd_loss", "domain_independent_loss", "dro_loss", "hint_loss", "kd_loss", "mfd_loss", "nst_loss",
    "reverse_gradient", "reweighing", "reweighted_loss", "rkd_loss", "self_mfd_loss",
]  # fmt: skip
