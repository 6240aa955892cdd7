"""Loss functions, as functions and as modules, each usable on its own, and the terms that methods are made of."""

from fairdistill.losses.adversary import Adversaries, Adversary, AdversaryLoss, reverse_gradient
from fairdistill.losses.attention import AttentionLoss, AttentionTransfer, attention_loss
from fairdistill.losses.cross_entropy import CrossEntropy
from fairdistill.losses.dkd import DKD, DKDLoss, dkd_loss
from fairdistill.losses.domain_independent import DomainIndependent, DomainIndependentLoss, domain_independent_loss
from fairdistill.losses.dro import GroupDRO, GroupDROLoss, dro_loss
from fairdistill.losses.gapreg import GapReg, GapRegLoss, gapreg_loss, soft_deo
from fairdistill.losses.hint import Hint, HintLoss, hint_loss
from fairdistill.losses.kd import KD, KDLoss, kd_loss
from fairdistill.losses.mfd import MFD, MFDLoss, mfd_loss
from fairdistill.losses.nst import NeuronSelectivity, NSTLoss, nst_loss
from fairdistill.losses.projector import Projector
from fairdistill.losses.reweight import Reweight, ReweightedLoss, reweighing, reweighted_loss
from fairdistill.losses.rkd import RKD, RKDLoss, rkd_loss
from fairdistill.losses.self_mfd import SelfMFD, SelfMFDLoss, self_mfd_loss
from fairdistill.losses.sp import SP, SPLoss, sp_loss
from fairdistill.losses.term import Term, TermContext, TermSpec

__all__ = [
    "DKD", "KD", "MFD", "RKD", "SP", "Adversaries", "Adversary", "AdversaryLoss", "AttentionLoss", "AttentionTransfer",
    "CrossEntropy", "DKDLoss", "DomainIndependent", "DomainIndependentLoss", "GapReg", "GapRegLoss", "GroupDRO",
    "GroupDROLoss", "Hint", "HintLoss", "KDLoss", "MFDLoss", "NSTLoss", "NeuronSelectivity", "Projector", "RKDLoss",
    "Reweight", "ReweightedLoss", "SPLoss", "SelfMFD", "SelfMFDLoss", "Term", "TermContext", "TermSpec",
    "attention_loss", "dkd_loss", "domain_independent_loss", "dro_loss", "gapreg_loss", "hint_loss", "kd_loss",
    "mfd_loss", "nst_loss", "reverse_gradient", "reweighing", "reweighted_loss", "rkd_loss", "self_mfd_loss",
    "soft_deo", "sp_loss",
]  # fmt: skip
