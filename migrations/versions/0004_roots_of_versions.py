"""Roots have versions: those that stand are over postings only.

Going back down forgets what the roots of months are over that were closed since.
"""

import sqlalchemy as sa
from alembic import op

from db import triggers

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    version = sa.Column("root_version", sa.Integer(), server_default="1", nullable=False)
    op.add_column("period", version)


def downgrade() -> None:
    triggers.remove(op.get_bind())
    op.drop_column("period", "root_version")
