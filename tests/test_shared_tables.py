"""What two tiers must both know, and neither may import from the other."""

import docparse.layout.labels
import docparse.protocol
import gateway.models.labels
from gateway.models.documents import Kind


def test_both_tiers_know_the_same_classes_in_the_same_order():
    assert tuple(gateway.models.labels.LABELS) == tuple(docparse.layout.labels.LABELS)


def test_both_tiers_know_the_same_kinds_of_documents():
    assert {kind.value for kind in Kind} == set(docparse.protocol.KINDS)
