-- What a server boots from while it is rescued: {imageId, image, epoch, made}.
alter table server add column rescue jsonb;
alter table deleted_server add column rescue jsonb;
