"""What a look at one sub-account found wrong: logged, told to operators, over when it is gone."""

import logging
from dataclasses import dataclass, field
from datetime import datetime

from copyplugin.domain.identifiers import FollowId
from copyplugin.domain.notice import NoticeKind
from copyplugin.store import notices
from copyplugin.store.database import Session

log = logging.getLogger(__name__)


@dataclass
class Findings:
    """Of one follow, inside the transaction that books what was seen."""

    session: Session
    follow_id: FollowId
    at: datetime
    _found: set[tuple[NoticeKind, str]] = field(default_factory=set[tuple[NoticeKind, str]])

    def tell(self, kind: NoticeKind, what: object, sentence: str) -> None:
        """Tell operators once, until it is found no more; `what` tells it from its like."""
        subject = f"follow:{self.follow_id}:{what}"
        self._found.add((kind, subject))
        log.error("follow %s: %s", self.follow_id, sentence)
        notices.tell_operators(
            self.session,
            kind,
            subject,
            f"Follow {self.follow_id}: {sentence}",
            at=self.at,
            follow_id=self.follow_id,
        )

    def looked_for(self, kind: NoticeKind) -> None:
        """Let what was told of this kind and is found no more be over."""
        raised = notices.subjects_raised(self.session, {kind}, follow_id=self.follow_id)
        gone = {subject for _, subject in raised - self._found}
        notices.end(self.session, kind, gone, at=self.at)
