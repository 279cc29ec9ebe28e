"""Which ways out an installation has: what its settings name."""

from collections.abc import Mapping

from copyplugin.domain.notice import Channel
from copyplugin.notify.mail import MailNotifier, MailServer
from copyplugin.notify.webhook import WebhookNotifier
from copyplugin.ports import Clock, Notifier
from copyplugin.settings import Settings


def ways_out(settings: Settings, clock: Clock) -> Mapping[Channel, Notifier]:
    """Return them; none where nothing is set."""
    found: dict[Channel, Notifier] = {}
    if settings.webhook_url:
        found[Channel.WEBHOOK] = WebhookNotifier(
            settings.webhook_url, settings.webhook_secret.get_secret_value(), clock.now
        )
    if settings.smtp_host:
        server = MailServer(
            host=settings.smtp_host,
            port=settings.smtp_port,
            starttls=settings.smtp_starttls,
            user=settings.smtp_user,
            password=settings.smtp_password.get_secret_value(),
        )
        found[Channel.EMAIL] = MailNotifier(server, sender=settings.mail_from, to=settings.mail_to)
    return found
