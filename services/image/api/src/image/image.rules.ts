/**
 * Policy by upstream's names. Where an image of another project is concerned, the row's `shared` has decided before
 * whether it is seen at all (404 where not); the rule then says whether that may be done with it (403).
 */
import {
  ADMIN,
  all,
  any,
  type Check,
  PROJECT_MEMBER,
  PROJECT_READER,
  role,
  rule,
  sameProject,
} from '#libs/platform/policy';

/** The caller's project is the member in question, not the owner. */
export const isTheMember: Check = {
  text: 'project_id:%(member_id)s',
  test: (who, target) => who.projectId !== undefined && who.projectId === (target as { memberId?: string }).memberId,
};

/** Whoever sees an image may read it with the reader's role and download it with the member's. */
const SEEING_READER = any(ADMIN, role('reader'));
const SEEING_MEMBER = any(ADMIN, role('member'));

export const RULES = {
  addImage: rule('add_image', PROJECT_MEMBER),
  getImage: rule('get_image', SEEING_READER),
  getImages: rule('get_images', PROJECT_READER),
  modifyImage: rule('modify_image', PROJECT_MEMBER),
  deleteImage: rule('delete_image', PROJECT_MEMBER),
  uploadImage: rule('upload_image', PROJECT_MEMBER),
  downloadImage: rule('download_image', SEEING_MEMBER),
  deactivate: rule('deactivate', PROJECT_MEMBER),
  reactivate: rule('reactivate', PROJECT_MEMBER),
  addMember: rule('add_member', PROJECT_MEMBER),
  getMembers: rule('get_members', any(ADMIN, all(role('reader'), any(sameProject, isTheMember)))),
  getMember: rule('get_member', any(ADMIN, all(role('reader'), any(sameProject, isTheMember)))),
  modifyMember: rule('modify_member', any(ADMIN, all(role('member'), isTheMember))),
  deleteMember: rule('delete_member', PROJECT_MEMBER),
  reader: rule('get_info', any(ADMIN, role('reader'))),
} as const;

/** Rules that handlers ask for by name: they depend on what is being changed. */
export const FURTHER_RULES = [
  rule('publicize_image', ADMIN),
  rule('communitize_image', PROJECT_MEMBER),
  rule('context_is_admin', ADMIN),
];
