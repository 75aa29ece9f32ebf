"""What was done, in words: the audit's actions as people read them. One that has no words yet stands as it is written."""

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy.orm import Session

from carbon_credits.core.audit import AuditEntry
from carbon_credits.core.i18n import Text
from carbon_credits.staff.service import names_of

WORDS: Final[Mapping[str, Text]] = {
    "account.opened": Text("开立收款账户", "Account opened"),
    "account.proposed": Text("提交收款账户", "Account proposed"),
    "activity.reversed": Text("冲回记录", "Activity reversed"),
    "approval.proposed": Text("提交审批", "Proposed"),
    "approval.approved": Text("批准", "Approved"),
    "approval.rejected": Text("否决", "Rejected"),
    "approval.withdrawn": Text("撤回审批", "Proposal withdrawn"),
    "bank.added": Text("登记银行", "Bank added"),
    "bank_file.answered": Text("导入银行回执", "Bank's answer read"),
    "bank_file.read": Text("导入银行文件", "Bank file read"),
    "bank_file.written": Text("生成银行文件", "Bank file written"),
    "campaign.approved": Text("活动获批，划入预算", "Campaign approved, with its budget"),
    "campaign.changed": Text("修改活动草案", "Campaign's draft changed"),
    "campaign.drafted": Text("起草活动", "Campaign drafted"),
    "campaign.ended": Text("活动结束", "Campaign ended"),
    "campaign.launched": Text("活动启动", "Campaign launched"),
    "campaign.paused": Text("活动暂停", "Campaign paused"),
    "campaign.proposed": Text("提交活动", "Campaign proposed"),
    "campaign.reopened": Text("活动退回草案", "Campaign a draft again"),
    "campaign.resumed": Text("活动恢复", "Campaign resumed"),
    "campaign.settled": Text("活动余额退回", "Campaign's rest given back"),
    "campaign.withdrawn": Text("撤回活动", "Campaign taken back"),
    "case.opened": Text("建立案件", "Case opened"),
    "case.assigned": Text("分派案件", "Case assigned"),
    "case.open": Text("重新打开案件", "Case open again"),
    "case.waiting_for_partner": Text("等待合作方答复", "Case waits for the partner"),
    "case.waiting_for_resident": Text("等待居民答复", "Case waits for the resident"),
    "case.decided": Text("案件已决定", "Case decided"),
    "case.closed": Text("案件已关闭", "Case closed"),
    "client.added": Text("新增接口凭据", "Client added"),
    "client.ended": Text("停用接口凭据", "Client ended"),
    "drive.applied": Text("登记创建申请", "Group put forward for a drive"),
    "drive.asked": Text("组请求参加创建", "Group asks for a drive"),
    "drive.declared": Text("凭文件申报条件", "Criterion declared"),
    "drive.filled": Text("按数据填写核对表", "Checklist filled from figures"),
    "drive.request_declined": Text("创建请求不予受理", "Request for a drive declined"),
    "drive.request_withdrawn": Text("撤回创建请求", "Request for a drive taken back"),
    "drive.reviewed": Text("评审创建申请", "Application for a drive reviewed"),
    "drive.withdrawn": Text("撤回创建申请", "Application for a drive taken back"),
    "feed.grace": Text("变更数据宽限期", "Grace of a feed changed"),
    "feed_secret.set": Text("设置推送密钥", "Feed's secret set"),
    "feed_secret.ended": Text("停用推送密钥", "Feed's secret ended"),
    "file.refused": Text("拒收文件", "File refused"),
    "file.released": Text("放行文件", "File released"),
    "funding.shown": Text("查看收款信息", "Funding shown"),
    "funding.cancelled": Text("取消收款", "Funding cancelled"),
    "funding.declined": Text("收款被拒", "Funding declined"),
    "funding.refunded": Text("退回收款", "Funding refunded"),
    "funding.refund_failed": Text("退款失败", "Refund failed"),
    "group.invited": Text("生成入组码", "Join codes made"),
    "group.station": Text("枢纽加入站点", "Station made part of a hub"),
    "group.station_ended": Text("枢纽移除站点", "Station taken off a hub"),
    "hook.added": Text("新增回调地址", "Hook added"),
    "hook.ended": Text("停用回调地址", "Hook ended"),
    "hook.rotated": Text("更换回调密钥", "Hook's secret changed"),
    "key.added": Text("新增签名密钥", "Signing key added"),
    "key.revoked": Text("吊销签名密钥", "Signing key revoked"),
    "member.added": Text("新增店员", "Shop's member added"),
    "member.ended": Text("停用店员", "Shop's member ended"),
    "member.pin_changed": Text("更改店员 PIN", "PIN changed"),
    "merchant.applied": Text("商户申请", "Merchant applied"),
    "notice.retried": Text("重发通知", "Notice sent again"),
    "offer.drafted": Text("起草优惠", "Offer drafted"),
    "offer.changed": Text("修改优惠", "Offer changed"),
    "partner.bound": Text("合作方绑定居民", "Partner bound"),
    "period.closed": Text("关闭账期", "Period closed"),
    "purse.created": Text("建立补贴账户", "Purse created"),
    "resident.phone_shown": Text("查看完整手机号", "Phone number read"),
    "settlement.retried": Text("重新付款", "Settlement paid again"),
    "simulation.asked": Text("模拟活动", "Campaign simulated"),
    "staff.added": Text("新增工作人员", "Member of staff added"),
    "staff.authenticator_changed": Text("更换验证器", "Authenticator changed"),
    "staff.changed": Text("变更角色或辖区", "Roles or streets changed"),
    "staff.closed": Text("停用账号", "Account closed"),
    "staff.code_wrong": Text("验证码错误", "Wrong code"),
    "staff.codes_refused": Text("验证码多次错误，已锁定", "Too many wrong codes: locked"),
    "staff.credential_set": Text("设置登录方式", "Sign-in set up"),
    "staff.identity_connected": Text("关联统一登录", "Single sign-on connected"),
    "staff.identity_ended": Text("取消统一登录关联", "Single sign-on ended"),
    "staff.invited": Text("生成邀请链接", "Invited"),
    "staff.locked": Text("密码多次错误，暂时锁定", "Too many wrong passwords: locked for a while"),
    "staff.password_changed": Text("更改密码", "Password changed"),
    "staff.password_to_change": Text("要求更换密码", "Asked to change the password"),
    "staff.recovery_code_used": Text("使用恢复码", "Recovery code used"),
    "staff.recovery_codes_renewed": Text("更换恢复码", "Recovery codes renewed"),
    "staff.reset": Text("重置登录方式", "Sign-in reset"),
    "staff.session_ended": Text("结束会话", "Session ended"),
    "staff.sessions_ended": Text("结束多个会话", "Sessions ended"),
    "staff.signed_in": Text("登录", "Signed in"),
    "staff.stepped_up": Text("再次验证", "Second factor shown again"),
    "statement.issued": Text("出具减排证明", "Statement issued"),
    "statement.outcome": Text("银行回报结果", "Bank's outcome"),
    "statement.revoked": Text("撤销减排证明", "Statement revoked"),
    "till.paired": Text("收银台配对", "Till paired"),
    "till.pairing": Text("生成配对码", "Pairing code made"),
}


def words(action: str) -> Text:
    """What an action is called."""
    return WORDS.get(action, Text(action, action))


def names(session: Session, entries: Collection[AuditEntry]) -> Mapping[str, str]:
    """The names of the staff among those who did these, by actor, in one query."""
    numbers = {number for one in entries if (number := _number(one.actor)) is not None}
    return {f"staff:{number}": name for number, name in names_of(session, numbers).items()}


def _number(actor: str) -> int | None:
    kind, _, number = actor.partition(":")
    return int(number) if kind == "staff" and number.isascii() and number.isdecimal() else None
